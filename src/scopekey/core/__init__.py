"""The security model, pure: no clock, no randomness, no I/O. They come in as arguments.

Start with ``decide.py``; everything else here says what its arguments are.
"""
