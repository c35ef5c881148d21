"""``python -m scopekey`` is the command line."""

from scopekey.cli.main import run

if __name__ == "__main__":
    run()
