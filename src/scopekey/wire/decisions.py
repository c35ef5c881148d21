"""Decisions on their way up: the batch that a verifier hands to the control plane, as bytes.

Reading gives the canonical bytes of the audit entries. What a reader does not know it refuses, with all of
the batch.
"""

import re
from collections.abc import Callable, Sequence
from typing import Any

import msgspec

from scopekey.wire.batch_rows import (
    FORMAT,
    MAX_RECORDS,
    MAX_SIZE,
    MAX_TEXT,
    JournalBatch,
    UnreadableBatchError,
)
from scopekey.wire.unfold_batch import unfold

__all__ = [
    "FORMAT",
    "MAX_RECORDS",
    "MAX_SIZE",
    "MAX_TEXT",
    "JournalBatch",
    "UnreadableBatchError",
    "read_batch",
    "write_batch",
]

_ENCODER = msgspec.json.Encoder()
_DECODER = msgspec.json.Decoder(JournalBatch)
_PLACE = re.compile(r"^(?P<why>.*?)(?: - at `\$\.?(?P<field>[^`]*)`)?$", re.DOTALL)
_INDEX = re.compile(r"\[(\d+|\.\.\.)\]")


def write_batch(
    *,
    node: str,
    file: str,
    offset: int,
    lost: int,
    durable: bool = False,
    operations: Sequence[Any] = (),
    grants: Sequence[Any] = (),
    decisions: Sequence[Any] = (),
    refusals: Sequence[Any] = (),
    cut: int = 0,
) -> bytes:
    """Write a batch whose rows are tuples in the order of the row types: plain tuples cost the least.

    Nothing is checked here but that texts have a spelling. Raises UnicodeEncodeError for a lone surrogate.
    """
    batch = {
        "format": FORMAT,
        "node": node,
        "file": file,
        "offset": offset,
        "lost": lost,
        "durable": durable,
        "operations": operations,
        "grants": grants,
        "decisions": decisions,
        "refusals": refusals,
    }
    if cut:
        batch["cut"] = cut
    return _ENCODER.encode(batch)


def read_batch(encoded: bytes, random: Callable[[int], bytes], now: int = 0) -> tuple[JournalBatch, list[bytes]]:
    """Read a batch, and the canonical bytes of its records' entries: all of them, or UnreadableBatchError.

    `now` is the time of what has none of its own.
    """
    try:
        batch = _DECODER.decode(encoded)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise _unreadable(error) from None
    if len(batch) > MAX_RECORDS or not (len(batch) or batch.lost):
        raise UnreadableBatchError("decisions", f"a batch has 1 to {MAX_RECORDS} records, counts included")
    if batch.lost > batch.offset:
        raise UnreadableBatchError("lost", "more records are said to be lost than were numbered")
    return batch, unfold(batch, random, now)


def _unreadable(error: Exception) -> UnreadableBatchError:
    """Say where and what, in words that repeat nothing of what was sent."""
    if not isinstance(error, msgspec.ValidationError):
        return UnreadableBatchError("", "the body is not JSON in UTF-8")
    found = _PLACE.match(str(error))
    field = _INDEX.sub(r".\1", found["field"] or "") if found else ""
    why = found["why"] if found else ""
    return UnreadableBatchError(
        field, why if why.startswith("Expected ") else "it holds what this version does not know"
    )
