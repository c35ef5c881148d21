"""Several machines on one PostgreSQL: a home folder each, with the same pepper and signing key."""

import shutil
from pathlib import Path

from scopekey.server.beginning import begin
from scopekey.settings import Settings
from scopekey.store import migrate
from tests.server.running import settings


def machines(folder: Path, url: str, number: int = 2, **more) -> tuple[list[Settings], str]:
    """The settings of so many machines, and the first key."""
    migrate.upgrade(url)
    made = [settings(folder, home=folder / f"machine-{at}", database_url=url, **more) for at in range(number)]
    operator = begin(made[0])
    for other in made[1:]:
        join(other, made[0])
    return made, operator


def join(other: Settings, first: Settings) -> None:
    """What somebody does who sets up another machine: copy two files."""
    other.home.mkdir(mode=0o700)
    for name in ("pepper", "signing_key"):
        shutil.copy(first.home / name, other.home / name)
