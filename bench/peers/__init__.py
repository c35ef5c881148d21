"""Programs that measure one peer each, run by the interpreter of `.venv-peers`: as the peer's own documentation begins."""
