"""The feed as a follower hears it: a real server, real streams, and keys that end while they listen."""

import contextlib
import threading
import time

import httpx
import msgspec
import pytest

from scopekey.authority.actor import Caller
from scopekey.authority.edit_key import edit_key
from scopekey.authority.revoke_key import revoke_key
from scopekey.core.change import Change
from scopekey.enforce.doors import feed as feed_door
from scopekey.replica import feed_source
from scopekey.replica.index import Place
from scopekey.wire.feed import Complete, End, Header, Heartbeat, read_header, read_line
from scopekey.wire.resources import EditKey, RevokeKey
from tests.server.running import problem

MACHINE = Caller.machine()


@pytest.fixture
def follower(deployment):
    """A key that may follow, as (id, printed)."""
    return deployment.key("scopekey_changes:read", "scopekey_journal:write")


class Listening:
    """A stream that is being read, line by line."""

    def __init__(self, response):
        self.response = response
        self._lines = response.iter_lines()
        self.header = read_header(next(self._lines).encode())

    def next(self):
        return read_line(next(self._lines).encode())

    def until(self, kind):
        """The next line of a kind; heartbeats and changes before it are passed over."""
        while not isinstance(line := self.next(), kind):
            pass
        return line

    def ends(self):
        with contextlib.suppress(StopIteration):
            self.next()
            return False
        return True


@contextlib.contextmanager
def listening(url, printed, place, path="/v1/changes", **query):
    query = {"after": place.position, "mark": place.mark.hex(), "feed": place.feed_id} | query if place else {}
    with (
        httpx.Client(trust_env=False, timeout=10) as client,
        client.stream("GET", url + path, params=query, headers={"Authorization": f"Bearer {printed}"}) as response,
    ):
        assert 200 == response.status_code, response.read()
        assert "application/jsonl" == response.headers["content-type"]
        yield Listening(response)


def here(deployment):
    return deployment.node.index.place()


def test_a_stream_says_where_it_is_and_beats(url, deployment, follower):
    place = here(deployment)
    with listening(url, follower[1], place) as stream:
        pepper = deployment.node.authority.pepper.id
        told = Header(
            1, place.feed_id, place.position, place.mark.hex(), (pepper,), "sck", ("live", "test"), journal=True
        )
        assert told == stream.header
        first, second = stream.next(), stream.next()
    assert (place.position, place.mark.hex(), 0) == (first.position, first.mark, first.age)
    assert 900 <= second.elapsed - first.elapsed < 5_000


def test_what_is_changed_is_heard_at_once_and_in_order(url, deployment, follower):
    with listening(url, follower[1], here(deployment)) as stream:
        stream.until(Heartbeat)
        made = [deployment.key("datasets:read")[0] for _ in range(3)]
        heard = [stream.until(Change) for _ in range(3)]
        assert made == [change.state.id for change in heard]
        assert here(deployment)[1:] == (heard[-1].position, heard[-1].mark)


def test_who_was_away_hears_what_was_changed_meanwhile(url, deployment, follower):
    place = here(deployment)
    made = [deployment.key("datasets:read")[0] for _ in range(3)]
    with listening(url, follower[1], place) as stream:
        assert made == [stream.until(Change).state.id for _ in range(3)]


def test_a_snapshot_is_everything_and_says_how_much(url, deployment, follower):
    identity, _ = deployment.key("datasets:read")
    with listening(url, follower[1], None, "/v1/snapshot") as stream:
        lines = []
        while not isinstance(line := stream.next(), Complete):
            lines.append(line)
        assert stream.ends()
    assert line.count == len(lines)
    assert {stream.header.position} == {change.position for change in lines}
    assert identity in {getattr(change.state, "id", None) for change in lines}


@pytest.mark.parametrize("code", ["revoked_key", "missing_permission"])
def test_a_key_that_is_revoked_or_narrowed_hears_nothing_more(url, deployment, follower, code):
    identity, printed = follower
    with listening(url, printed, here(deployment)) as stream:
        stream.until(Heartbeat)
        if code == "revoked_key":
            revoke_key(deployment.node.authority, MACHINE, identity, RevokeKey(reason="compromised"))
        else:
            edit_key(deployment.node.authority, MACHINE, identity, EditKey(permissions=["scopekey_journal:write"]))
        end = next(line for line in iter(stream.next, None) if not isinstance(line, Heartbeat))
        assert (End, code) == (type(end), end.code), "not even its own end is told as a change"
        assert stream.ends()


def test_a_stream_is_begun_anew_now_and_then(url, deployment, follower, monkeypatch):
    monkeypatch.setattr(feed_door, "STREAM_LIFE", 50)
    with listening(url, follower[1], here(deployment)) as stream:
        assert "renew" == stream.until(End).code
        assert stream.ends()


def test_a_process_that_stops_says_goodbye(url, deployment, follower):
    with listening(url, follower[1], here(deployment)) as stream:
        stream.until(Heartbeat)
        deployment.app.drain()
        assert "draining" == stream.until(End).code


def test_a_history_that_is_replaced_ends_the_stream(url, deployment, follower):
    place = here(deployment)
    with listening(url, follower[1], place) as stream:
        stream.until(Heartbeat)
        with deployment.node.index.writing() as writer:
            writer.load(Place(place.feed_id, place.position - 1, bytes(16)), ())
        # The key that listens is gone with all others: whichever is noticed first, nothing more is told.
        assert stream.until(End).code in {"snapshot_needed", "stale_replica", "unknown_key"}


@pytest.mark.parametrize("strange", [{"mark": "00" * 16}, {"feed": "another"}, {"after": 99}, {"after": 0, "mark": ""}])
def test_a_place_of_another_history_needs_a_snapshot(url, deployment, api, follower, strange):
    place = here(deployment)
    query = {"after": place.position, "mark": place.mark.hex(), "feed": place.feed_id} | strange
    answer = api(follower[1])("GET", f"/v1/changes?{httpx.QueryParams(query)}")
    assert (410, "snapshot_needed") == problem(answer)
    assert "GET /v1/snapshot" in answer.json()["detail"]


@pytest.mark.parametrize(
    "query",
    ["", "after=1", "after=x&mark=", "after=-1&mark=", "after=1&mark=zz", "after=1&after=2&mark=", "after=" + "9" * 20],
)
def test_a_place_that_is_none_is_refused(api, follower, query):
    assert (422, "invalid_request") == problem(api(follower[1])("GET", f"/v1/changes?{query}"))


@pytest.mark.parametrize("path", ["/v1/changes?after=1&mark=", "/v1/snapshot"])
def test_only_a_key_that_may_follow_is_told_anything(api, deployment, path):
    assert (401, "no_credential") == problem(api()("GET", path))
    answer = api(deployment.key("datasets:read")[1])("GET", path)
    assert ((401, "missing_permission"), ["scopekey_changes:read"]) == (problem(answer), answer.json()["missing"])


def test_every_stream_is_one_recorded_decision(url, deployment, follower):
    with listening(url, follower[1], here(deployment)) as stream:
        stream.until(Heartbeat)
    deployment.node.hand_over()
    decisions = [entry for entry in deployment.entries() if entry.kind == "decision" and entry.key == follower[0]]
    assert ["GET /v1/changes"] == [entry.operation for entry in decisions]


def test_a_follower_that_goes_away_leaves_nothing_behind(url, deployment, follower):
    hub = None
    with listening(url, follower[1], here(deployment)) as stream:
        stream.until(Heartbeat)
        hub = deployment.app._doors._feed._hub
        assert hub is not None
    deadline = time.monotonic() + 5
    while hub._streams and time.monotonic() < deadline:
        threading.Event().wait(0.01)
    assert 0 == hub._streams


def test_many_followers_hear_the_same(url, deployment, follower):
    with contextlib.ExitStack() as stack:
        place = here(deployment)
        streams = [stack.enter_context(listening(url, follower[1], place)) for _ in range(20)]
        for stream in streams:
            stream.until(Heartbeat)
        identity = deployment.key("datasets:read")[0]
        assert {identity} == {stream.until(Change).state.id for stream in streams}


def test_a_header_holds_nothing_secret(url, deployment, follower):
    with listening(url, follower[1], None, "/v1/snapshot") as stream:
        told = msgspec.json.encode(stream.header)
    assert deployment.node.settings.peppers()[0].id.encode() in told
    assert (deployment.node.settings.home / "pepper").read_bytes().strip() not in told


def test_a_key_that_may_not_hand_in_decisions_is_told_so(url, deployment):
    _, printed = deployment.key("scopekey_changes:read")
    with listening(url, printed, here(deployment)) as stream:
        assert not stream.header.journal


def test_a_snapshot_stops_when_its_key_does(url, deployment, follower, monkeypatch):
    identity, printed = follower
    for _ in range(6):
        deployment.key("datasets:read")
    monkeypatch.setattr(feed_source, "BATCH", 1)
    whole = feed_source._everything

    def slowly(view, here):
        for at, batch in enumerate(whole(view, here)):
            if at == 5:
                revoke_key(deployment.node.authority, MACHINE, identity, RevokeKey(reason="compromised"))
            yield batch

    monkeypatch.setattr(feed_source, "_everything", slowly)
    with listening(url, printed, None, "/v1/snapshot") as stream:
        assert "revoked_key" == stream.until(End).code
        assert stream.ends()


@pytest.mark.parametrize("path", ["/v1/snapshot", "/v1/changes"])
def test_head_is_answered_without_a_body_and_holds_nothing_open(url, deployment, follower, path):
    place = here(deployment)
    query = {"after": place.position, "mark": place.mark.hex()} if path == "/v1/changes" else {}
    headers = {"Authorization": f"Bearer {follower[1]}"}
    answer = httpx.head(url + path, params=query, headers=headers, trust_env=False, timeout=5)
    assert (200, b"", "application/jsonl") == (answer.status_code, answer.content, answer.headers["content-type"])
