"""Opening an LMDB environment so that a damaged file is an error, not the end of the process.

LMDB maps its file: touching a page that a truncated file no longer has is a SIGBUS, which nothing
can catch. So the size is compared with what the file says of itself before anything is read.
"""

import contextlib
import mmap
import sys
from pathlib import Path

import lmdb

# Only addresses are reserved, the file grows as it is used: room for half a billion keys, so that nobody has to
# grow the map under readers.
RESERVED = 1 << 36 if sys.maxsize > 1 << 32 else 1 << 30
MAX_READERS = 1024
# Aborted read views are kept and renewed, which makes the next one cheap: one for each thread that reads.
_SPARE = 8

DAMAGE_MARK = "DAMAGED"
DAMAGE = (lmdb.CorruptedError, lmdb.InvalidError, lmdb.PageNotFoundError, lmdb.PanicError, lmdb.VersionMismatchError)
"""What LMDB raises where a file is not what it wrote; its other errors say nothing about the file."""


class DamagedError(Exception):
    """The file cannot be what was written; it must be set aside and built again."""


class OlderCopyError(DamagedError):
    """An older copy of the file was put back: its rows are whole, and no longer true."""


class EarlierVersionError(Exception):
    """The file is whole, but an earlier version wrote it in a form that is not read any more."""


def create(folder: Path, *, map_size: int = RESERVED, durable: bool = False) -> lmdb.Environment:
    """Make or open the environment in a folder."""
    return lmdb.open(
        str(folder),
        map_size=map_size,
        sync=durable,
        metasync=durable,
        max_dbs=0,
        max_readers=MAX_READERS,
        max_spare_txns=_SPARE,
        readahead=False,
        meminit=False,
    )


def open_existing(folder: Path, *, map_size: int = RESERVED, durable: bool = False) -> lmdb.Environment:
    """Open the environment in a folder. Raises DamagedError, FileNotFoundError where there is no folder."""
    if not folder.is_dir():
        raise FileNotFoundError(folder)
    file = folder / "data.mdb"
    if (folder / DAMAGE_MARK).exists():
        raise DamagedError("it was found damaged while it was read")
    if not file.is_file() or file.stat().st_size < 2 * mmap.PAGESIZE:
        raise DamagedError("data.mdb is missing or too short to be an index")
    try:
        environment = create(folder, map_size=map_size, durable=durable)
    except DAMAGE as error:
        raise DamagedError(f"data.mdb is no index: {error}") from error
    if file.stat().st_size < needed_size(environment):
        environment.close()
        raise DamagedError(f"data.mdb was truncated to {file.stat().st_size} bytes")
    return environment


def needed_size(environment: lmdb.Environment) -> int:
    """How long the file must be for every page it speaks of to exist."""
    return int((environment.info()["last_pgno"] + 1) * environment.stat()["psize"])


def fill_up(environment: lmdb.Environment) -> None:
    """Give the file the length it speaks of. Call it after a commit, under the write lock.

    LMDB does not write pages that a transaction took and gave back: the file may end before them.
    """
    file = Path(environment.path()) / "data.mdb"
    needed = needed_size(environment)
    if file.stat().st_size < needed:
        with file.open("r+b") as data:
            data.truncate(needed)


def mark_damaged(folder: Path) -> None:
    """Tell the next writer that a read went wrong here; needs no lock."""
    with contextlib.suppress(OSError):
        (folder / DAMAGE_MARK).touch()
