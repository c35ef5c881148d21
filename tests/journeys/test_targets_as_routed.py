"""What the check reads in a target against what real frameworks route, on real servers, byte for byte."""
