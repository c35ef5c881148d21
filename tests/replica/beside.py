"""Programs in processes of their own, with the index of a test: whatever kills them does not kill the tests."""

import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).parents[2]


PRELUDE = """
import os, signal, sys
from scopekey.replica.lmdb_index import LmdbIndex
from scopekey.replica.index import Place
from tests.contract.index import *
index = LmdbIndex(sys.argv[1])
def say(*words): print(*words, flush=True)
def wait(): sys.stdin.readline()
"""


def ask(process):
    process.stdin.write("\n")
    process.stdin.flush()
    return process.stdout.readline().strip()


def finish(process):
    out, err = process.communicate(timeout=60)
    assert (0, "") == (process.returncode, err if process.returncode else "")
    return out.split()


@contextmanager
def programs(folder):
    """Start programs over the index in a folder; they are killed when the block ends."""
    started = []

    def start(program):
        process = subprocess.Popen(
            [sys.executable, "-c", PRELUDE + program, str(folder)],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate()
