"""The command line: words to operations. Nothing is decided here."""
