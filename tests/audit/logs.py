"""A log in memory, sealed as a store would seal it, and the ways of tampering with one."""

from scopekey.audit.checkpoint import Checkpoint, sign_checkpoint
from scopekey.audit.merkle import leaf_hash
from scopekey.audit.note import verifier_key
from scopekey.audit.source import Run
from scopekey.audit.tiles import Growth
from tests.audit.trees import no_tile, reader

SEED = bytes(range(32))
ORIGIN = "audit.example/log"
KEY = verifier_key(ORIGIN, SEED)


def body(number):
    return b'{"nonce":"%032x"}' % number


class Log:
    """Rows of index and body, tiles and checkpoints: everything may be changed afterwards."""

    def __init__(self, bodies=(), *, sizes=(), begins=0, per_run=256, seed=SEED):
        self.seed, self.first, self.per_run = seed, begins, per_run
        self.faults = {}
        self.seal(list(bodies), {*sizes, len(bodies)})

    def seal(self, bodies, sizes):
        growth = Growth(0, no_tile)
        self.notes = []
        for size in sorted(sizes):
            growth.extend(map(leaf_hash, bodies[growth.size : size]))
            self.notes.append((size, sign_checkpoint(Checkpoint(ORIGIN, size, growth.root()), self.seed)))
        self.tiles = growth.changed()
        self.rows = list(enumerate(bodies))[self.first :]

    def hash_anew(self):
        """Write the hashes of all tiles anew, and leave the checkpoints as they were signed."""
        growth = Growth(0, no_tile)
        growth.extend(leaf_hash(one) for _, one in self.rows)
        self.tiles = growth.changed()

    def renumber(self):
        self.rows = list(enumerate([one for _, one in self.rows]))

    def heads(self):
        return [note for _, note in self.notes]

    def checkpoint(self):
        return self.notes[-1][1] if self.notes else ""

    def checkpoints(self):
        return iter(self.notes)

    def tile(self, level, number):
        return reader(self.tiles)(level, number)

    def begins(self):
        return self.first

    def bundles(self, size):
        rows = self.rows
        place = 0
        while place < len(rows):
            first = rows[place][0]
            end = place + 1
            while end < len(rows) and end - place < self.per_run and rows[end][0] == first + end - place:
                end += 1
            bodies = [one for _, one in rows[place:end]]
            yield Run(first, bodies, {at: why for at, why in self.faults.items() if first <= at < first + len(bodies)})
            place = end
