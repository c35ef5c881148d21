"""A follower applies what follows and nothing else, and says what keeps it from going on."""

import threading
import time
from contextlib import contextmanager

import httpx
import pytest

from scopekey.core.keyformat import KeyFormat
from scopekey.replica.follow import Follower
from scopekey.replica.freshness import Level, milliseconds_since_boot
from scopekey.replica.index import NotNextError
from scopekey.replica.leader import Leadership
from scopekey.replica.status import State
from scopekey.replica.upstream import RefusedError, Stream, Upstream, UpstreamAwayError
from scopekey.wire.feed import End, Header, UnreadableFeedError, encode_line
from tests.contract.index import ORGANIZATION, REGISTER, RULES, key, load, mark
from tests.replica.scripted import FEED, PEPPER, beat, header, lines, scripted, snapshot

NOW = 1_800_000_000_000
SECRET = "sck_live_canary"


@pytest.fixture
def script():
    with scripted() as script:
        yield script


@pytest.fixture
def follower(script, index, tmp_path):
    return make(script, index, tmp_path)


def make(script, index, folder, key=lambda: SECRET, **more):
    return Follower(
        index,
        Upstream(script.url, key, silence=0.3),
        peppers=[PEPPER],
        leadership=Leadership(folder / "follower.lock"),
        clock=lambda: NOW,
        **more,
    )


def follow_until_it_ends(follower):
    """One stream to its end; every script ends."""
    follower._follow_once()


def test_an_empty_replica_is_loaded_from_a_snapshot(script, index, follower):
    script.snapshot = snapshot(7, REGISTER, RULES, ORGANIZATION, key(1), key(2))
    follow_until_it_ends(follower)
    assert (FEED, 7) == index.place()[:2]
    assert (key(2), ORGANIZATION, REGISTER, RULES) == (
        index.key(key(2).id),
        index.organization(ORGANIZATION.id),
        index.register(),
        index.rules(),
    )
    assert Level(0, 0) == index.level(), "a snapshot is level only when the feed has said so"
    assert State.LOADING is follower.status.state


def test_changes_are_applied_in_order_and_a_heartbeat_makes_it_level(script, index, follower):
    load(index, key(1))
    script.changes = header(4) + lines(2, key(2), key(1, revoked=5), RULES) + beat(4) + encode_line(End("renew"))
    before = milliseconds_since_boot()
    follow_until_it_ends(follower)
    assert (4, key(1, revoked=5), RULES) == (index.place().position, index.key(key(1).id), index.rules())
    level = index.level()
    assert before <= level.boot <= milliseconds_since_boot()
    assert NOW - 1_000 < level.wall <= NOW
    assert f"/v1/changes?after=1&mark={1:032x}&feed={FEED}" == script.asked[0][0]
    assert f"Bearer {SECRET}" == script.asked[0][1]


def test_a_heartbeat_that_lay_in_a_buffer_is_as_old_as_it_is(script, index, follower):
    load(index)
    script.changes = header(1) + beat(1, elapsed=0, age=2_500) + encode_line(End("renew"))
    follow_until_it_ends(follower)
    assert milliseconds_since_boot() - index.level().boot >= 2_500, "the sender itself was behind"
    script.changes = header(1) + beat(1, elapsed=60_000) + encode_line(End("renew"))
    follow_until_it_ends(follower)
    assert index.level().boot <= milliseconds_since_boot(), "no beat is from the future"
    script.changes = header(1) + beat(1, age=-1) + encode_line(End("renew"))
    level = index.level()
    follow_until_it_ends(follower)
    assert level == index.level(), "a sender that does not know its age makes nobody level"


@pytest.mark.parametrize(
    ("told", "error"),
    [
        (lines(3, key(2)), NotNextError),  # a gap
        (lines(1, key(2)), NotNextError),  # a repetition
        (lines(2, key(2)) + lines(2, key(3)), NotNextError),
        (lines(2, key(2)) + lines(4, key(3)) + lines(3, key(4)), NotNextError),  # another order
        (beat(2), NotNextError),  # it says more than it told
        (beat(0), NotNextError),
        (lines(2, key(2)) + beat(3), NotNextError),
        (b'{"position":2,"mark":"' + b"0" * 32 + b'","kind":"surprise","body":{}}\n', UnreadableFeedError),
        (b'{"kind":"complete","count":0}\n', UnreadableFeedError),
        (b"{}\n", UnreadableFeedError),
        (encode_line(End("revoked_key", "The key was revoked.")), RefusedError),
        (encode_line(End("snapshot_needed", "Gone.")), None),
    ],
)
def test_what_does_not_follow_is_never_applied(script, index, follower, told, error):
    load(index, key(1))
    script.changes = header(1) + told
    if error is None:
        script.snapshot = snapshot(9, key(5))
        follow_until_it_ends(follower)
        assert 9 == index.place().position
        return
    with pytest.raises(error):
        follow_until_it_ends(follower)
    # What came whole and in order in one piece with it is not applied either: the piece is one transaction.
    assert (1, key(1)) == (index.place().position, index.key(key(1).id))
    assert Level(0, 0) == index.level()


@pytest.mark.parametrize(
    ("first", "error", "words"),
    [
        (header(1, feed="another"), RefusedError, "another deployment"),
        (header(1, peppers=(PEPPER, "ffffffff")), RefusedError, "copy the pepper of the control plane"),
        (b'{"kind":"header","format":2}\n', UnreadableFeedError, "upgrade this node"),
        (b'{"kind":"header","format":1,"critical":["objects"]}\n', UnreadableFeedError, "upgrade this node"),
        (b"<html>\n", UnreadableFeedError, "no change feed"),
        ((200, {}, b""), UpstreamAwayError, "ended its answer"),
        ((401, {"content-type": "application/problem+json"}, b'{"code":"revoked_key"}'), RefusedError, "revoked_key"),
        ((404, {}, b"no"), RefusedError, "is no Scopekey"),
        ((302, {"location": "http://192.0.2.1/"}, b""), RefusedError, "is no Scopekey"),
        ((503, {}, b""), UpstreamAwayError, "answers 503"),
        ((429, {}, b""), UpstreamAwayError, "answers 429"),
        ((410, {}, b"gone"), RefusedError, "is no Scopekey"),
    ],
)
def test_what_cannot_be_followed_is_refused_in_words_that_help(script, follower, first, error, words):
    index = follower.index
    load(index, key(1))
    script.changes = first if isinstance(first, tuple) else first + lines(2, key(1, revoked=1))
    for attempt in (follower.probe, follower._follow_once):
        with pytest.raises(error, match=words) as refused:
            attempt()
        assert SECRET not in str(refused.value)
    assert (1, key(1)) == (index.place().position, index.key(key(1).id))


def test_another_deployment_takes_the_place_only_where_somebody_says_so(script, index, tmp_path):
    load(index, key(1))
    script.snapshot = snapshot(3, key(2), feed="another")
    with pytest.raises(RefusedError):
        make(script, index, tmp_path)._follow_once()
    assert FEED == index.place().feed_id
    make(script, index, tmp_path, replace=True)._follow_once()
    assert ("another", key(2), None) == (index.place().feed_id, index.key(key(2).id), index.key(key(1).id))


RENEW = encode_line(End("renew"))
STREAM = header(3) + lines(2, key(1, revoked=9), RULES) + beat(3) + RENEW


class Said:
    """An upstream without a network: `told` is its next answer."""

    def __init__(self, told=b""):
        self.told = told

    @contextmanager
    def open(self, place):
        yield Stream(httpx.Response(200, stream=httpx.ByteStream(self.told)), milliseconds_since_boot())

    @contextmanager
    def snapshot(self):
        yield Stream(httpx.Response(200, stream=httpx.ByteStream(self.told)), milliseconds_since_boot())


def hearing(index, folder):
    said = Said()
    lock = Leadership(folder / "follower.lock")
    return said, Follower(index, said, peppers=[PEPPER], leadership=lock, clock=lambda: NOW)


def test_a_stream_cut_at_any_byte_leaves_a_place_of_the_history(index, tmp_path):
    said, follower = hearing(index, tmp_path)
    whole = {1: key(1), 2: key(1, revoked=9), 3: key(1, revoked=9)}
    rest = {1: lines(2, key(1, revoked=9), RULES), 2: lines(3, RULES), 3: b""}
    for cut in range(len(STREAM) - 1):
        load(index, key(1))
        said.told = STREAM[:cut]
        with pytest.raises((UpstreamAwayError, UnreadableFeedError)):
            follower._follow_once()
        position = index.place().position
        assert whole[position] == index.key(key(1).id), f"cut at {cut}"
        # And it goes on from there as if nothing had been.
        said.told = header(3) + rest[position] + beat(3) + RENEW
        follower._follow_once()
        assert (3, key(1, revoked=9), RULES) == (index.place().position, index.key(key(1).id), index.rules())


SNAPSHOT = snapshot(9, RULES, key(1, revoked=3), key(2))


def test_a_snapshot_cut_at_any_byte_leaves_the_old_copy(index, tmp_path):
    said, follower = hearing(index, tmp_path)
    load(index, key(1))
    for cut in range(len(SNAPSHOT) - 1):
        said.told = SNAPSHOT[:cut]
        with pytest.raises((UpstreamAwayError, UnreadableFeedError)):
            follower._load()
        assert (1, key(1), None) == (index.place().position, index.key(key(1).id), index.rules()), f"cut at {cut}"
    said.told = SNAPSHOT
    follower._load()
    assert (9, key(1, revoked=3)) == (index.place().position, index.key(key(1).id))


@pytest.mark.parametrize(
    "told",
    [snapshot(9, key(1), count=2), snapshot(9, key(1), count=0), header(9) + lines(10, key(1)), header(9) + beat(9)],
)
def test_a_snapshot_that_is_not_whole_is_not_loaded(script, index, follower, told):
    load(index, key(1))
    script.snapshot = told
    with pytest.raises(UnreadableFeedError):
        follow_until_it_ends(follower)
    assert 1 == index.place().position


def test_a_stream_without_heartbeats_counts_as_cut(script, index, follower):
    load(index)
    script.changes, script.hold = header(1) + beat(1), True
    with pytest.raises(UpstreamAwayError, match="in time"):
        follow_until_it_ends(follower)


def test_a_replica_lost_while_it_is_followed_is_asked_for_anew(script, index, follower, tmp_path):
    load(index, key(1))
    (tmp_path / "replica" / "gen-1" / "DAMAGED").touch()
    script.changes, script.snapshot = header(1) + beat(1) + RENEW, snapshot(5, key(7))
    follow_until_it_ends(follower)
    assert (5, key(7)) == (index.place().position, index.key(key(7).id))


def test_a_follower_that_never_reached_anything_goes_on_trying_and_says_why(index, tmp_path):
    told = []
    with scripted() as script:
        url = script.url
    follower = Follower(
        index,
        Upstream(url, lambda: SECRET),
        peppers=[],
        leadership=Leadership(tmp_path / "lock"),
        clock=lambda: NOW,
        tell=lambda status: (told.append(status), follower.stop() if status.state is State.AWAY else None),
    )
    follower.run()
    assert [State.CONNECTING, State.AWAY] == [status.state for status in told]
    assert "cannot be reached (Connection refused)" in told[-1].detail


@pytest.mark.parametrize(
    "url", ["http://keys.example.com", "ftp://127.0.0.1", "127.0.0.1:8700", "https://", "http://user@127.0.0.1", ""]
)
def test_a_key_is_sent_to_nobody_it_could_be_read_on_the_way_to(url):
    with pytest.raises(ValueError, match=r"upstream|plain text"):
        Upstream(url, lambda: SECRET)


def test_only_who_leads_follows_and_only_it_says_so(script, index, tmp_path):
    other = Leadership(tmp_path / "follower.lock")
    assert other.try_take()
    told = []
    follower = make(script, index, tmp_path, tell=told.append)
    thread = threading.Thread(target=follower.run)
    thread.start()
    while follower.status.state is not State.STANDBY:
        time.sleep(0.01)
    follower.stop()
    thread.join()
    assert ([], []) == (told, script.asked)
    other.release()


def _lost():
    raise FileNotFoundError(SECRET)


@pytest.mark.parametrize(
    ("key", "words"), [(_lost, "cannot be read"), (lambda: "", "is empty"), (lambda: "a\nb", "no key has")]
)
def test_a_key_that_cannot_be_sent_is_said(script, index, tmp_path, key, words):
    load(index)
    with pytest.raises(RefusedError, match=words) as refused:
        make(script, index, tmp_path, key=key).probe()
    assert SECRET not in str(refused.value)
    assert [] == script.asked


def test_no_proxy_of_the_environment_gets_the_key_in_plain_text(script, index, tmp_path, monkeypatch):
    with scripted() as proxy:
        for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
            monkeypatch.setenv(name, proxy.url)
        for name in ("NO_PROXY", "no_proxy"):
            monkeypatch.delenv(name, raising=False)
        load(index)
        script.changes = header(1) + beat(1) + RENEW
        make(script, index, tmp_path)._follow_once()
        assert (1, []) == (len(script.asked), proxy.asked)


@pytest.mark.parametrize(
    ("told", "words"),
    [
        ({"prefix": "acme", "environments": ("live", "test")}, "set SCOPEKEY_KEY_PREFIX"),
        ({"prefix": "sck", "environments": ("live", "staging")}, "and SCOPEKEY_ENVIRONMENTS"),
        ({"journal": False}, "give it scopekey_journal:write"),
    ],
)
def test_what_would_never_work_is_said_at_once(script, index, tmp_path, told, words):
    load(index)
    script.changes = encode_line(Header(1, FEED, 1, mark(1).hex(), peppers=(PEPPER,), **told)) + RENEW
    with pytest.raises(RefusedError, match=words):
        make(script, index, tmp_path, key_format=KeyFormat()).probe()


def test_peppers_that_come_into_use_are_told_while_it_follows(script, index, tmp_path):
    load(index)
    told = []
    follower = make(script, index, tmp_path, tell=lambda status: told.append((status.state, status.peppers)))
    follower._peppers = frozenset({PEPPER, "ffffffff"})
    for peppers in ((PEPPER,), (PEPPER, "ffffffff")):
        script.changes = header(1, peppers=peppers) + beat(1) + RENEW
        follower._follow_once()
    assert [(State.FOLLOWING, (PEPPER,)), (State.FOLLOWING, (PEPPER, "ffffffff"))] == told


def test_an_unknown_fault_is_named_without_its_words(script, index, tmp_path, monkeypatch, caplog):
    told = []
    follower = make(
        script, index, tmp_path, tell=lambda status: (told.append(status), follower.stop() if status.detail else None)
    )

    def broken(*_):
        raise RuntimeError(SECRET)

    monkeypatch.setattr(follower, "_follow_once", broken)
    follower.run()
    assert "an unexpected RuntimeError while following; it is tried again" == told[-1].detail
    assert SECRET not in caplog.text


def test_a_snapshot_is_asked_for_only_where_the_place_is_not_kept(script, index, follower):
    load(index)
    script.snapshot = snapshot(6, key(3))
    follow_until_it_ends(follower)
    assert ["/v1/changes", "/v1/snapshot"] == [path.partition("?")[0] for path, _ in script.asked]
    assert 6 == index.place().position


def test_trouble_is_logged_once_until_it_is_over(script, index, tmp_path, caplog):
    load(index)
    script.changes = (503, {}, b"")
    tries = []

    def tell(status):
        tries.append(status.state)
        if status.state is State.FOLLOWING:
            follower.stop()

    follower = make(script, index, tmp_path, tell=tell)
    thread = threading.Thread(target=follower.run)
    thread.start()
    while len(script.asked) < 3:
        time.sleep(0.01)
    script.changes = header(1) + beat(1) + RENEW
    thread.join()
    said = [record.message for record in caplog.records if record.name == "scopekey.replica.follow"]
    assert [f"the feed is not followed: {script.url} answers 503", "the feed is followed again"] == said
    assert [State.CONNECTING, State.AWAY, State.FOLLOWING] == tries
