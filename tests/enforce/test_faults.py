"""Promise: whatever breaks inside a check, the answer is a denial or a 503, never an allow, and it tells no secret.

Nobody lists what can break: a check that is allowed is watched, and then repeated with a fault at each call
that Scopekey's code made in it. What is added to the path later is covered by itself.
"""

import asyncio
import json
import logging
import struct

import lmdb
import pytest

from scopekey.core.change import Change
from scopekey.core.rules import Operation, Rule, Rules
from scopekey.enforce import reach
from scopekey.enforce.asgi import ScopekeyMiddleware
from scopekey.enforce.doors import nginx, original
from scopekey.enforce.doors.check import CheckDoor
from scopekey.enforce.doors.verify import VerifyDoor
from scopekey.enforce.wsgi import ScopekeyWSGIMiddleware
from scopekey.opening import Opened, Scopekey
from scopekey.replica.clock import milliseconds
from scopekey.replica.file_journal import FileJournal
from scopekey.replica.freshness import FeedFreshness, Level, milliseconds_since_boot
from scopekey.replica.index import Place
from scopekey.replica.lmdb_index import LmdbIndex
from scopekey.replica.verifier import Verifier
from scopekey.settings import LOOPBACK, Settings
from scopekey.testing.keys import _FORMAT, _PEPPER, Keys
from tests.enforce.points import Watch
from tests.enforce.test_asgi import READ, RULES

FEED = "feed"
ASKING = Rules((Rule(Operation.parse("POST /v1/verify"), READ),))


class World:
    """A replica in a file, and everything that stands on it; `begin` makes all of that anew, as a process does."""

    missing_permission_status = 401

    def __init__(self, folder):
        keys = Keys("datasets:read", "datasets:write", rules=RULES)
        self.secret = keys.add("datasets:read", networks=["192.0.2.0/24"])
        self.plain = keys.add("datasets:read")
        self.printed = (self.secret, self.plain)
        self.states = [keys.register, RULES, keys.organization(), *map(keys.key, self.printed)]
        self.folder = folder
        self.index = LmdbIndex(folder / "replica")
        self.called = []
        self.journal = None
        with self.index.writing() as writer:
            writer.load(Place(FEED, 1, bytes(16)), [Change(1, bytes(16), state) for state in self.states])
        self.begin()

    def begin(self):
        self.close()
        self.index = LmdbIndex(self.folder / "replica")
        self.index.leveled(Level(milliseconds(), milliseconds_since_boot()))
        self.index.close()
        self.journal = FileJournal(self.folder / "journal", lambda: "0" * 16)
        self.verifier = Verifier(
            self.index,
            key_format=_FORMAT,
            peppers={_PEPPER.id: _PEPPER},
            journal=self.journal,
            clock=milliseconds,
            freshness=FeedFreshness(self.index.level, stale_after=5_000, refuse_after=900_000, look=self.index.look),
        )
        self.middleware = ScopekeyMiddleware(self.application, self)
        self.wsgi_middleware = ScopekeyWSGIMiddleware(None, self)
        self.check_door = CheckDoor(
            self, nginx.read, fields=nginx.FIELDS, trusted_proxies=LOOPBACK, only_401_and_403=True
        )
        self.questions = VerifyDoor(ScopekeyMiddleware(self.application, self, ASKING))
        self.keys = Scopekey(Settings(home=self.folder), lambda _: Opened(self.verifier, self.index.close))
        self.keys._open()

    def close(self):
        if self.journal is not None:
            self.journal.close()
        self.index.close()

    def change(self):
        with self.index.writing() as writer:
            at = writer.place().position + 1
            writer.apply([Change(at, at.to_bytes(16, "big"), self.states[2])])

    async def application(self, scope, receive, send):
        self.called.append(scope)
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"application"})


def scope(path, headers, method="GET"):
    return {
        "type": "http",
        "method": method,
        "path": path,
        "raw_path": path.encode(),
        "root_path": "",
        "headers": headers,
        "client": ("127.0.0.1", 1),
    }


def ask(world, watch, app, asked, body=b""):
    """One request, with the fault of a watch in it; gives status and body, or the exception that came out."""
    sent = []

    async def receive():
        return {"type": "http.request", "body": body}

    async def send(message):
        watch.paused = True
        sent.append(message)

    async def asking():
        with watch.watching():
            await app(asked, receive, send)

    async def asking_while_a_change_arrives():
        helper = asyncio.create_task(arriving(world, watch))
        try:
            await asking()
        finally:
            await helper

    try:
        if reach.HEADER in dict(asked["headers"]):
            asyncio.run(asking_while_a_change_arrives())
        else:
            # Nothing is waited for on the way: a loop would only cost time.
            with pytest.raises(StopIteration):
                asking().send(None)
    except Exception as error:  # noqa: BLE001 - whatever comes out is looked at
        return error, sent
    return sent[0]["status"], sent


async def arriving(world, watch):
    """The change that a caller has seen comes while its call is held back."""
    watch.paused = True
    world.change()
    watch.paused = False


def through_the_middleware(world, watch):
    async def application(*call):
        # From here on the call is the application's: it was allowed.
        watch.over = True
        await world.application(*call)

    world.middleware.app = application
    return ask(world, watch, world.middleware, scope("/datasets/1", [(b"x-api-key", world.plain.encode())]))


def through_the_wsgi_middleware(world, watch):
    started = []

    def application(environ, start_response):
        watch.over = True
        world.called.append(environ)
        start_response("200 OK", [])
        return [b"application"]

    def send(status, headers):
        watch.paused = True
        started.append((status, headers))

    world.wsgi_middleware.app = application
    asked = {
        "REQUEST_METHOD": "GET",
        "PATH_INFO": "/datasets/1",
        "RAW_URI": "/datasets/1",
        "REMOTE_ADDR": "127.0.0.1",
        "HTTP_X_API_KEY": world.plain,
    }
    try:
        with watch.watching():
            body = world.wsgi_middleware(asked, send)
    except Exception as error:  # noqa: BLE001 - whatever comes out is looked at
        return error, started
    return int(started[0][0].partition(" ")[0]), [*started, *body]


def at_the_check_door(world, watch, secret=None, more=()):
    headers = [
        (b"authorization", b"Bearer " + (secret or world.secret).encode()),
        (original.METHOD_FIELD, b"GET"),
        (original.TARGET, b"/datasets/1"),
        (original.CLIENT, b"192.0.2.7"),
        *more,
    ]
    return ask(world, watch, world.check_door, scope(nginx.PATH, headers))


def at_the_check_door_with_a_position(world, watch):
    at = world.index.place().position + 1
    return at_the_check_door(world, watch, more=[(reach.HEADER, f"{FEED}-{at}".encode())])


def at_the_door_for_questions(world, watch):
    body = json.dumps({"key": world.secret, "operation": "GET /datasets/1", "address": "192.0.2.7"}).encode()
    headers = [(b"x-api-key", world.plain.encode())]
    outcome, sent = ask(world, watch, world.questions, scope("/v1/verify", headers, "POST"), body)
    if outcome == 200:
        outcome = 200 if json.loads(sent[1]["body"])["allowed"] else "denied"
    return outcome, sent


def in_a_program(world, watch):
    try:
        with watch.watching():
            decision = world.keys.check(world.secret, "datasets:read", address="192.0.2.7")
    except Exception as error:  # noqa: BLE001 - whatever comes out is looked at
        return error, []
    return 200 if decision else "denied", []


WAYS = [
    through_the_middleware,
    through_the_wsgi_middleware,
    at_the_check_door,
    at_the_door_for_questions,
    in_a_program,
]
REFUSALS = {401, 403, 422, 503, "denied"}
FAULTS = {
    "OSError": lambda said: OSError(5, said),
    "lmdb.Error": lmdb.Error,
    "MemoryError": MemoryError,
    "RuntimeError": RuntimeError,
    "struct.error": struct.error,
    "UnicodeDecodeError": lambda said: UnicodeDecodeError("utf-8", said.encode(), 0, 1, said),
}


@pytest.fixture
def world(tmp_path):
    world = World(tmp_path)
    yield world
    world.close()


MENDED = {
    # A control page that cannot be looked at counts as another one, and everything is opened again.
    ("replica/control.py", "Path.stat", "OSError"),
    # The row of the place is no part of a check: whoever needs it finds out.
    *(
        ("replica/place_row.py", what, name)
        for what in ("Struct.unpack_from", "bytes.decode")
        for name in ("struct.error", "UnicodeDecodeError")
    ),
}
"""After these it may be allowed: what is answered from is still the truth."""
SEAMS = {
    (f"enforce/{file}", what, "")
    for file in ("asgi.py", "wsgi.py", "doors/check.py", "doors/verify.py")
    for what in ("isinstance", "_adding", "ScopekeyMiddleware.decide", "ScopekeyWSGIMiddleware.decide")
}
"""What hands an outcome on once it is there: the call of all that catches, and the look at what came of it."""
NO_FAULT = {
    # A ValueError there is an answer: the text is no address. What is no proxy is remembered as such.
    ("core/network.py", "ip_address", "UnicodeDecodeError"),
}
"""What means something else there than that something broke."""
SENDING = ("<locals>.send", "<locals>.sending", "<locals>.application")


def points_of(world, way):
    """The points of a check by a process that has just begun, and of the one after it."""
    world.begin()
    first, second = Watch(), Watch()
    assert 200 == way(world, first)[0], "without a fault it is allowed"
    assert 200 == way(world, second)[0]
    return [[point for point in watch.points if not point[0].endswith(SENDING)] for watch in (first, second)]


def outcomes(world, way, points, *, fresh):
    """The outcome of each fault that came about, as (point, name, outcome, what was sent)."""
    every = list(FAULTS.items())
    for at, point in enumerate(points):
        # The long way of a new process gets one of them at each point, in turn.
        for name, fault in every[at % len(every) :][:1] if fresh else every:
            if is_among(NO_FAULT, point, name):
                continue
            if fresh:
                world.begin()
            world.called.clear()
            watch = Watch(point, fault(f"canary {' '.join(world.printed)}"))
            outcome, sent = way(world, watch)
            if watch.fired:
                yield point, name, outcome, sent
        assert 200 == way(world, Watch())[0], f"it does not heal by itself: {point}"


def is_among(known, point, name):
    where, _, what = point[0].partition(" ")
    return (where.partition(":")[0], what, name) in known


@pytest.mark.parametrize("way", WAYS)
def test_a_fault_at_any_point_is_never_an_allow_and_tells_no_secret(world, way, caplog):
    caplog.set_level(logging.DEBUG)
    began, went_on = points_of(world, way)
    assert len(began) > len(went_on) > 30
    wrong, came = [], 0
    for points, fresh in ((began, True), (went_on, False)):
        for point, name, outcome, sent in outcomes(world, way, points, fresh=fresh):
            came += 1
            no = (isinstance(outcome, Exception) or outcome in REFUSALS) and not world.called
            fine = no or is_among(MENDED, point, name)
            if not fine or any(printed in repr(sent) for printed in world.printed):
                wrong.append((point, name, outcome, sent))
    assert [] == wrong
    assert came > 0.9 * (len(began) + len(FAULTS) * len(went_on)), "nearly every fault must have come about"
    assert not any(printed in caplog.text for printed in world.printed)


@pytest.mark.parametrize(
    "way",
    [
        at_the_check_door,
        through_the_middleware,
        through_the_wsgi_middleware,
        at_the_door_for_questions,
    ],
)
def test_a_fault_is_answered_and_never_left_to_the_server_which_would_log_its_words(world, way):
    _, went_on = points_of(world, way)
    inside = [point for point in went_on if not is_among(SEAMS, point, "")]
    out = [found[:3] for found in outcomes(world, way, inside, fresh=False) if isinstance(found[2], Exception)]
    assert [] == out


def test_the_wait_for_a_position_does_not_let_a_fault_through_either(world):
    way = at_the_check_door_with_a_position
    _, went_on = points_of(world, way)
    without, _ = points_of(world, at_the_check_door)
    added = [point for point in went_on if point not in without]
    assert any("reach.py" in name for name, _ in added)
    wrong = [found[:3] for found in outcomes(world, way, added, fresh=False) if found[2] not in REFUSALS]
    assert [] == wrong


def test_a_watch_notices_what_is_called_and_what_is_let_through():
    """The control: a check that swallowed its faults would be found out."""

    def swallowing(world, watch):
        with watch.watching():
            try:
                allowed = bool(Keys("datasets:read").check("no key", "datasets:read"))
            except RuntimeError:
                allowed = True
        return allowed

    plain = Watch()
    assert not swallowing(None, plain)
    assert any("KeyFormat.id_of" in name for name, _ in plain.points)
    point = next(point for point in plain.points if "KeyFormat.id_of" in point[0])
    assert swallowing(None, Watch(point, RuntimeError()))
