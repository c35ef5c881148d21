"""The audit log, pure: entries, the tree over them, what is signed, and how it is verified. It needs no database."""
