"""What the kernel says of another process."""

import os
from pathlib import Path


def anonymous(pid: int) -> int:
    """Bytes that no file stands behind. Not `Private_*`: that counts a shared file which nobody else reads now."""
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text("ascii").splitlines():
        if line.startswith("Anonymous:"):
            return int(line.split()[1]) * 1024
    raise RuntimeError("the kernel does not say how much memory is anonymous")


def cpu_seconds(pid: int) -> float:
    """The time that it ran, in its own code and in the kernel."""
    # The name of the program may hold spaces: what follows begins behind its bracket.
    fields = Path(f"/proc/{pid}/stat").read_text("ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
