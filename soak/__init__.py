"""A long run of everything that can go wrong, at random, against real processes: `python -m soak 10`."""
