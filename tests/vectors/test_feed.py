from contextlib import contextmanager

import httpx
import pytest

from scopekey.replica import follow
from scopekey.replica.follow import Follower
from scopekey.replica.freshness import NEVER, FeedFreshness, Level
from scopekey.replica.index import NotNextError, Place
from scopekey.replica.leader import Leadership
from scopekey.replica.lmdb_index import LmdbIndex
from scopekey.replica.upstream import RefusedError, SnapshotNeededError, Stream, UpstreamAwayError
from scopekey.wire.feed import Heartbeat, UnreadableFeedError, read_position
from tests.vectors.rows import vectors

FILE = vectors("feed.json")
PLACE = Place(FILE["place"]["feed"], FILE["place"]["position"], bytes.fromhex(FILE["place"]["mark"]))
REFUSALS = {
    "not_next": (NotNextError, None),
    "another_feed": (RefusedError, "another deployment"),
    "pepper_lacking": (RefusedError, "copy the pepper"),
    "newer": (UnreadableFeedError, "upgrade this node"),
    "unreadable": (UnreadableFeedError, None),
    "ended": (RefusedError, "ended the feed"),
    "snapshot_needed": (SnapshotNeededError, None),
    "cut": (UpstreamAwayError, None),
}


class Pieces(httpx.SyncByteStream):
    def __init__(self, pieces):
        self.pieces = pieces

    def __iter__(self):
        yield from self.pieces


class Upstream:
    """Answers with the pieces of a row; a place that is lost there has no snapshot either."""

    def __init__(self):
        self.changes = self.everything = None

    @contextmanager
    def open(self, _):
        yield Stream(httpx.Response(200, stream=Pieces(self.changes)), 0)

    @contextmanager
    def snapshot(self):
        if self.everything is None:
            raise SnapshotNeededError
        yield Stream(httpx.Response(200, stream=Pieces(self.everything)), 0)


def pieces_of(row):
    lines = [line.encode("utf-8") + b"\n" for line in row["lines"]]
    if row.get("unended"):
        lines[-1] = lines[-1].rstrip(b"\n")
    return lines


@pytest.fixture
def index(tmp_path):
    index = LmdbIndex(tmp_path / "replica")
    with index.writing() as writer:
        writer.load(PLACE, [])
    yield index
    index.close()


@pytest.fixture
def follower(index, tmp_path):
    lock = Leadership(tmp_path / "lock")
    return Follower(index, Upstream(), peppers=FILE["peppers"], leadership=lock, clock=lambda: 1_800_000_000_000)


@pytest.mark.parametrize("whole", [False, True], ids=["line by line", "in one piece"])
@pytest.mark.parametrize("row", FILE["changes"], ids=lambda row: row["why"])
def test_changes_lead_to_where_they_say_and_no_further(index, follower, row, whole):
    pieces = pieces_of(row)
    follower._upstream.changes = [b"".join(pieces)] if whole else pieces
    if "refused" in row:
        error, words = REFUSALS[row["refused"]]
        with pytest.raises(error, match=words):
            follower._follow_once()
        allowed = range(PLACE.position, row["reached"] + 1) if whole else [row["reached"]]
        assert index.place().position in allowed
    else:
        follower._follow_once()
        assert (row["reached"], row["level"]) == (index.place().position, index.level() != Level(0, 0))


@pytest.mark.parametrize("row", FILE["snapshots"], ids=lambda row: row["why"])
def test_a_snapshot_is_loaded_whole_or_not_at_all(index, follower, row):
    follower._upstream.everything = pieces_of(row)
    if "refused" in row:
        error, words = REFUSALS[row["refused"]]
        with pytest.raises(error, match=words):
            follower._load()
        assert PLACE == index.place()
    else:
        follower._load()
        assert Place(PLACE.feed_id, 9, (9).to_bytes(16, "big")) == index.place()
    assert Level(0, 0) == index.level()


@pytest.mark.parametrize("row", FILE["levels"], ids=lambda row: row["why"])
def test_a_heartbeat_makes_level_as_of_its_own_moment(index, follower, monkeypatch, row):
    monkeypatch.setattr(follow, "milliseconds_since_boot", lambda: row["now"])
    monkeypatch.setattr(follower, "_clock", lambda: row["wall"])
    follower._level(Heartbeat(PLACE.position, PLACE.mark.hex(), row["elapsed"], row["age"]), row["asked"])
    assert Level(*(row["level"] or (0, 0))) == index.level()


@pytest.mark.parametrize("row", FILE["ages"], ids=lambda row: row["why"])
def test_the_age_of_a_replica_is_the_older_of_two_clocks(row):
    freshness = FeedFreshness(
        lambda: Level(*row["level"]),
        stale_after=FILE["stale_after"],
        refuse_after=900_000,
        since_boot=lambda: row["boot"],
    )
    assert (NEVER if row["age"] is None else row["age"]) == freshness.age(row["now"])


@pytest.mark.parametrize("row", FILE["positions"], ids=lambda row: row["why"])
def test_a_position_is_read(row):
    read = read_position(row["text"])
    assert (row["feed"], row["position"]) == ((read.feed_id, read.position) if read else (None, None))


def test_every_refusal_has_a_row():
    rows = FILE["changes"] + FILE["snapshots"]
    assert FILE["refusals"].keys() == REFUSALS.keys() == {row["refused"] for row in rows if "refused" in row}
