"""A log in memory, sealed in pieces, to be verified and tampered with."""

from scopekey.audit.checkpoint import Checkpoint, sign_checkpoint
from scopekey.audit.entry import Entry, canonical
from scopekey.audit.merkle import leaf_hash
from scopekey.audit.note import verifier_key
from scopekey.audit.source import Run
from scopekey.audit.tiles import Growth

SEED = bytes(range(32))
ORIGIN = "example.com/log"
KEY = verifier_key(ORIGIN, SEED)


def body(number):
    return canonical(Entry(nonce=f"{number:032x}", at=number, kind="decision", allowed=True))


class MadeLog:
    """Entries by index, tiles by level and number, checkpoints; everything can be changed."""

    begins = 0

    def __init__(self, *pieces, seed=SEED):
        self.entries, self.tiles, self.notes = {}, {}, []
        for piece in pieces:
            self.seal([body(len(self.entries) + at) for at in range(piece)], seed=seed)

    def seal(self, bodies, seed=SEED):
        tree = Growth(len(self.entries), self.tile)
        tree.extend([leaf_hash(one) for one in bodies])
        self.entries |= dict(enumerate(bodies, len(self.entries)))
        self.tiles |= tree.changed()
        self.notes.append(sign_checkpoint(Checkpoint(ORIGIN, tree.size, tree.root()), seed))

    def checkpoint(self):
        return self.notes[-1] if self.notes else None

    def checkpoints(self):
        return iter(self.notes)

    def tile(self, level, number):
        return self.tiles.get((level, number), b"")

    def runs(self):
        """One run for each piece without a gap, and at most 100 entries."""
        run = []
        for index in sorted(self.entries):
            if run and (index != run[-1] + 1 or len(run) == 100):
                yield Run(run[0], [self.entries[at] for at in run])
                run = []
            run.append(index)
        if run:
            yield Run(run[0], [self.entries[at] for at in run])
