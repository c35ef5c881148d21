"""A server whose disk takes 5 seconds for a sync while the file named by SLOW exists."""

import os
import time
from pathlib import Path

from scopekey.replica.journal_file import RealDisk
from scopekey.server.app import create_app as create_real_app

SECONDS = 5.0
_sync = RealDisk.sync


def create_app():
    RealDisk.sync = sync
    return create_real_app()


def sync(disk, file):
    slow, ends = Path(os.environ["SLOW"]), time.monotonic() + SECONDS
    while slow.exists() and time.monotonic() < ends:
        time.sleep(0.02)
    _sync(disk, file)
