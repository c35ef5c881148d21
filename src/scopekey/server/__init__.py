"""The control-plane process: the management API, and the joining of store, replica and verifier."""
