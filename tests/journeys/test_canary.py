"""Promise: no secret is anywhere but where it was given: not in a log, an answer, the store, a replica, the journal.

A deployment is used in every way there is and broken in many, with all loggers at DEBUG. Then everything that
it wrote and told is searched for each of its secrets, in all spellings.
"""

import base64
import contextlib
import io
import logging
import shutil
import sqlite3

import pytest

from tests.journeys.canaries import Canaries, spellings
from tests.journeys.canary_world import World, live

pytestmark = pytest.mark.journey


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    folder = tmp_path_factory.mktemp("canary")
    root = logging.getLogger()
    level, handler = root.level, logging.StreamHandler(io.StringIO())
    handler.setFormatter(logging.Formatter("%(levelname)s %(name)s %(message)s %(args)r"))
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    try:
        world = World(folder)
        world.told["logs"] = handler.stream
        # The client that plays all the callers has logs of its own, which are none of Scopekey's.
        handler.addFilter(lambda record: not (world.calling and record.name.partition(".")[0] in {"httpx", "httpcore"}))
        world.patch.setattr(logging, "raiseExceptions", False)
        live(world)
        yield world
    finally:
        root.removeHandler(handler)
        root.setLevel(level)
        world.patch.undo()


def test_no_secret_is_anywhere_but_where_it_was_given(world):
    found = {name: hits for name, content in world.evidence().items() if (hits := world.canaries.found_in(content))}
    assert {} == found


def test_everything_was_looked_at(world):
    """The search had something to find one in: what is claimed of nothing is worth nothing."""
    evidence = world.evidence()
    said = {name: content.decode("utf-8", "replace") for name, content in evidence.items()}
    for name, expected in (
        (
            "logs",
            (
                "the check broke (RuntimeError)",
                "unexpected fault while answering GET (RuntimeError)",
                "the store is unavailable",
            ),
        ),
        ("logs", ("DEBUG httpcore", "INFO httpx")),
        ("answers", (" 200\n", " 401\n", " 422\n", " 503\n", "scopekey_replica_position")),
        ("output", ("key.issue", "unknown_key", "the log is intact", "scopekey-proof/", "RuntimeError: broken")),
    ):
        for word in expected:
            assert word in said[name], (name, word)
    names = " ".join(evidence)
    for file in (
        "scopekey.db",
        "scopekey.db-wal",
        "replica/",
        "journal/",
        "plane/",
        "heads",
        "log.parquet",
        "archive/",
    ):
        assert file in names, file


def test_the_same_search_finds_a_secret_in_every_spelling_wherever_it_is_planted(world):
    everywhere = list(world.evidence().values())
    for number, (name, secret) in enumerate(world.canaries.secrets.items()):
        for spelling in spellings(secret):
            content = everywhere[number % len(everywhere)][:2_000]
            half = len(content) // 2
            shift = int(spelling[-1]) if spelling.startswith("base64") else 0
            planted = bytes(shift) + secret + b"more"
            told = {
                "base64": base64.b64encode(planted),
                "base64u": base64.urlsafe_b64encode(planted),
            }.get(spelling[:7] if "base64u" in spelling else spelling[:6], spellings(secret)[spelling])
            found = world.canaries.found_in(content[:half] + told + content[half:])
            assert name in {hit for hit, _ in found}, (name, spelling)


def test_a_secret_that_is_logged_or_stored_is_found(world):
    canaries = Canaries()
    canaries.add_key("planted", world.operator)
    copy = world.folder / "planted.db"
    shutil.copy(world.settings.home / "scopekey.db", copy)
    with contextlib.closing(sqlite3.connect(copy)) as connection, connection:
        connection.execute("UPDATE organizations SET name = ?", (f"Acme {world.operator}",))
    assert {("planted", "plain")} == canaries.found_in(copy.read_bytes())
    assert set() == canaries.found_in(world.told["logs"].getvalue().encode())
    logging.getLogger("planted").debug("%s", {"authorization": [b"Bearer " + world.operator.encode()]})
    assert {("planted", "plain")} == canaries.found_in(world.told["logs"].getvalue().encode())
    assert set() == canaries.found_in(world.operator[:-49].encode() * 9), "the id of a key is no secret"
