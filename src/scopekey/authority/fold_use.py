"""Tell the use of entries that were sealed in too great a hurry for it, many at once."""

from collections.abc import Iterable, Iterator
from contextlib import suppress

import msgspec

from scopekey.audit.entry import Entry, read_entry
from scopekey.insight.use import fold
from scopekey.store.engine import Store

AT_ONCE = 20_000
"""How many entries are folded together: a key that they are about many times is written once."""
MOST_ROWS = 4_000
"""How many rows one transaction writes: the write lock of a SQLite file is to be held for a moment only."""


def fold_use(store: Store) -> None:
    """Fold all entries of the log whose use is not told yet, each once. Raises StoreUnavailableError."""
    most = AT_ONCE
    while True:
        with store.reading() as tx:
            state = tx.log.state()
            upto = min(state.size, state.folded + most)
            if upto == state.folded:
                return
            use = fold(_readable(tx.log.bodies(state.folded, upto)))
        if len(use.totals) + len(use.days) > MOST_ROWS and upto - state.folded > 1:
            most = (upto - state.folded) // 2
            continue
        with store.writing() as tx:
            held = tx.log.hold()
            if held is None or held.folded != state.folded:
                # Somebody else is at it, or was.
                return
            tx.usage.add(*use)
            tx.log.fold(upto)


def _readable(bodies: Iterable[bytes]) -> Iterator[Entry]:
    """The entries among them: what is none any more was tampered with, and a verification is to get there to say so."""
    for body in bodies:
        with suppress(msgspec.MsgspecError, UnicodeDecodeError):
            yield read_entry(body)
