"""The Python client of the management API."""
