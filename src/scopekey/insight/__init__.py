"""What rules, grants and use say about themselves: data in, findings out. Pure."""
