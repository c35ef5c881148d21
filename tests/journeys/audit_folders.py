"""A small file system for a folder, which can be filled and made read-only: for root on Linux, who may mount."""

import os
import subprocess
from contextlib import contextmanager, suppress

import pytest

SIZE = 256 << 10


class SmallDisk:
    """A mounted folder of 256 KiB."""

    def __init__(self, folder):
        self.folder = folder
        self._filler = folder / "filler"

    def fill(self):
        """Leave not one free page."""
        with self._filler.open("ab", buffering=0) as file, suppress(OSError):
            while True:
                file.write(bytes(4096))

    def free(self):
        self._filler.unlink()

    def forbid(self, *, writing):
        """Mount it again, read-only or not. Nobody may have a file open for writing then."""
        _mount("-o", f"remount,{'ro' if writing else 'rw'}", str(self.folder))


@contextmanager
def small_disk(folder):
    """Mount one, or skip the test where this is not allowed; unmounted whatever happens."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if os.geteuid():
        pytest.skip("only root may mount a small file system")
    try:
        _mount("-t", "tmpfs", "-o", f"size={SIZE},mode=700", "scopekey-test", str(folder))
    except (OSError, subprocess.CalledProcessError) as error:
        pytest.skip(f"no small file system can be mounted here: {getattr(error, 'stderr', error)}")
    try:
        yield SmallDisk(folder)
    finally:
        # Lazily, so that nothing stays mounted though somebody still has a file open.
        subprocess.run(["umount", "--lazy", str(folder)], check=True, timeout=20)


def _mount(*words):
    subprocess.run(["mount", *words], check=True, capture_output=True, text=True, timeout=20)
