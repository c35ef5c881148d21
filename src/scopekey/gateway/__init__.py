"""The data-plane process: a follower of a feed, a verifier over its replica, and the doors. It imports no SQL."""
