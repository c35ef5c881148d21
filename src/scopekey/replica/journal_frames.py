"""A journal file is a sequence of frames, one line each: a checksum and a batch (spec/journal.md, "On disk")."""

from collections.abc import Iterator
from zlib import crc32

_DIGITS = 8


def frame(batch: bytes) -> bytes:
    """Write a batch as one line: CRC-32 of its bytes in 8 hexadecimal digits, a space, the batch, a newline."""
    return b"%08x %b\n" % (crc32(batch), batch)


def batch_in(line: bytes) -> bytes | None:
    """The batch of a line without its newline; None where the line is damaged."""
    batch = line[_DIGITS + 1 :]
    return batch if line[: _DIGITS + 1] == b"%08x " % crc32(batch) else None


def lines(read: bytes) -> Iterator[tuple[bytes | None, int]]:
    """Each complete line: its batch, None where it is damaged, and where the next line begins."""
    begin = 0
    while (end := read.find(b"\n", begin)) >= 0:
        yield batch_in(read[begin:end]), end + 1
        begin = end + 1
