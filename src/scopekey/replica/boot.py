"""Which boot of the machine this is, and whether a process of it still lives."""

import os
import sys
from pathlib import Path

_own: dict[int, int | None] = {}


def boot_id() -> str | None:
    """Name this boot of the machine, or None where the system does not say."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip() or None
    except OSError:
        return None


def process_start(pid: int) -> int | None:
    """When a process was started, in ticks since the boot; 0 where the system does not say, None where it is gone.

    A number of a process is used again: only with its start does it name one process.
    """
    if pid != os.getpid():
        return _read_start(pid)
    # A process asks for its own at every change; a child after a fork has another number.
    if pid not in _own:
        _own.clear()
        _own[pid] = _read_start(pid)
    return _own[pid]


def _read_start(pid: int) -> int | None:
    try:
        # The name, in parentheses, may hold anything; the start is the 20th word behind it (proc(5)).
        return int(Path(f"/proc/{pid}/stat").read_bytes().rpartition(b")")[2].split()[19])
    except (FileNotFoundError, ProcessLookupError):
        return None if Path("/proc/self/stat").exists() else _start_unknown(pid)


def _start_unknown(pid: int) -> int | None:
    # On Windows the signal 0 is no question: it would end the process.
    if sys.platform == "win32":
        return 0
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return None
    except PermissionError:
        return 0
    return 0
