"""Programs that measure one peer each, as its own documentation begins; the interpreter of `.venv-peers` runs them."""
