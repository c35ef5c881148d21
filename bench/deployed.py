"""What stands behind a guarded application: a loaded replica, and a journal on the disk."""

import os
from pathlib import Path
from typing import cast

from bench.load import load
from bench.world import NEEDED, World, verifier
from scopekey.core.permission import Permission
from scopekey.core.requirement import Requirement
from scopekey.core.rules import Operation, Rule, Rules
from scopekey.replica.file_journal import FileJournal, Mode

FOLDER = "BENCH_FOLDER"
"""The variable that tells a server where its deployment is."""
MODE = "BENCH_JOURNAL"
"""The variable that tells it the mode of its journal, where it is not the default."""
NODE = "00112233445566aa"
_OPERATION = "GET /datasets/{dataset_id}/sample"
RULES = Rules((Rule(Operation.parse(_OPERATION), Requirement.all_of(Permission.parse(NEEDED)), "dataset_id"),))


def deploy(folder: Path, keys: int) -> World:
    """Load a replica with one rule into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    return load(folder / "replica", keys, RULES)


class Deployed:
    """What a middleware needs of a deployment that lies in a folder. Nobody hands its decisions over meanwhile."""

    def __init__(self, folder: Path) -> None:
        mode = cast("Mode", os.environ.get(MODE, "writes"))
        self.journal = FileJournal(folder / "journal", lambda: NODE, mode=mode, limit=1 << 40)
        self.verifier = verifier(folder / "replica", self.journal)

    @classmethod
    def named(cls) -> "Deployed":
        """The deployment that the environment names."""
        return cls(Path(os.environ[FOLDER]))

    def close(self) -> None:
        """Write what is left."""
        self.journal.close()
