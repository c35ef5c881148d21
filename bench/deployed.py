"""What stands behind a guarded application: a loaded replica, and a journal that writes into a store."""

import os
from pathlib import Path

from bench.load import load
from bench.world import NEEDED, World, verifier
from scopekey.authority.record_decisions import record_decisions
from scopekey.core.permission import Permission
from scopekey.core.requirement import Requirement
from scopekey.core.rules import Operation, Rule, Rules
from scopekey.replica.batches import BatchJournal
from scopekey.store.engine import Store

FOLDER = "BENCH_FOLDER"
"""The variable that tells a server where its deployment is."""
_OPERATION = "GET /datasets/{dataset_id}/sample"
RULES = Rules((Rule(Operation.parse(_OPERATION), Requirement.all_of(Permission.parse(NEEDED)), "dataset_id"),))


def deploy(folder: Path, keys: int) -> World:
    """Load a replica with one rule into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    return load(folder / "replica", keys, RULES)


class Deployed:
    """What a middleware needs of a deployment that lies in a folder."""

    def __init__(self, folder: Path) -> None:
        self.store = Store.open(f"sqlite:///{folder / 'journal.db'}")
        self.journal = BatchJournal(lambda batch: record_decisions(self.store, batch))
        self.verifier = verifier(folder / "replica", self.journal)

    @classmethod
    def named(cls) -> "Deployed":
        """The deployment that the environment names."""
        return cls(Path(os.environ[FOLDER]))

    def close(self) -> None:
        """Hand over what is left."""
        self.journal.close()
        self.store.close()
