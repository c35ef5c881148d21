"""What crosses between the planes and to clients, as bytes: read and written here, decided nowhere.

Pure: no clock, no randomness, no I/O. Whatever cannot be read whole is refused, never read in part.
"""
