"""What goes in and out of a door in the contract suite: a request, its answer, and the application behind.

Every subject serves the same API, `RULES`, whichever way its framework declares it.
"""

from dataclasses import dataclass, field
from typing import NamedTuple

from scopekey.core.decision import Allowed
from scopekey.core.permission import Permission
from scopekey.core.requirement import Requirement
from scopekey.core.rules import Mode, Operation, Rule, Rules

CLIENT = "192.0.2.7"
PERMISSIONS = ("datasets:read", "datasets:write", "jobs:write")
READ, WRITE, JOBS = map(Permission.parse, PERMISSIONS)


def _rule(operation, requirement, object_name=None, mode=Mode.ENFORCE):
    return Rule(Operation.parse(operation), requirement, object_name, mode)


RULES = Rules(
    (
        _rule("GET /datasets/{id}", Requirement.all_of(READ), "id"),
        _rule("POST /datasets", Requirement.all_of(WRITE)),
        _rule("POST /runs", Requirement(((READ, WRITE, JOBS), (WRITE, JOBS)))),
        _rule("POST /trial", Requirement.all_of(WRITE), mode=Mode.REPORT),
        _rule("GET /whoami", Requirement.all_of()),
        _rule("GET /nobody", Requirement(())),
        _rule("GET /open", None),
        _rule("GET /listed", Requirement.all_of(READ)),
        _rule("HEAD /listed", Requirement.all_of(JOBS)),
        _rule("OPTIONS /listed", Requirement.all_of(WRITE)),
        _rule("GET /stream", Requirement.all_of(READ)),
    )
)
"""The API of every subject. `GET /stream` answers `upstream.chunks()`, every other operation `OK`.

An adapter of a framework with websockets has one at `GET /feed`, which needs datasets:read.
"""
SOCKET = _rule("GET /feed", Requirement.all_of(READ))
OK = b"ok"


class Request(NamedTuple):
    """What a client sends. `target` is the request line's; header names are in any case, values raw."""

    method: str
    target: bytes
    headers: tuple[tuple[bytes, bytes], ...]
    body: bytes
    client: str


def request(method="GET", target=b"/datasets/7", secret=None, *, headers=(), body=b"", client=CLIENT):
    """A request; a secret goes as a bearer."""
    bearer = [(b"Authorization", b"Bearer " + secret.encode())] if secret else []
    return Request(method, target, (*bearer, *headers), body, client)


@dataclass(frozen=True)
class Seen:
    """What the application saw of a request that reached it. Identity is empty where nobody was named."""

    method: str
    path: str
    key_id: str = ""
    organization: str = ""
    environment: str = ""
    used: str = ""
    body: bytes = b""


@dataclass
class Upstream:
    """The application of a subject: it tells here what reaches it.

    `log` is what happened to chunks and bodies in its order, `begun` whether the answer has begun to leave.
    `headers` are header fields that its answers to `GET /datasets/{id}` must have.
    """

    seen: list[Seen] = field(default_factory=list)
    log: list[str] = field(default_factory=list)
    headers: list[tuple[str, str]] = field(default_factory=list)
    begun: bool = False

    def reached(self, method, path, event, body=b""):
        """An application that finds the event in its request was called."""
        key, decision = event.decision.key, event.decision
        used = decision.need.told[decision.used] if isinstance(decision, Allowed) and decision.need else b""
        who = (key.id, key.organization, key.environment) if key else ("", "", "")
        self.seen.append(Seen(method, path, *who, used.decode(), body))

    def chunks(self):
        """The answer to `GET /stream`, one chunk after the other."""
        for chunk in (b"one", b"two", b"three"):
            self.log.append(f"made {chunk.decode()}")
            yield chunk

    async def chunks_async(self):
        """The same, for applications that answer on an event loop."""
        for chunk in self.chunks():
            yield chunk

    def left(self, chunk):
        """A chunk of the answer was sent."""
        if chunk:
            self.log.append(f"left {chunk.decode()}")


class Answered(NamedTuple):
    """What a subject answers: header fields as they were sent."""

    status: int
    headers: list[tuple[bytes, bytes]]
    body: bytes


class Answer(NamedTuple):
    """What came of one request: the answer, what the application saw of it, and what was recorded."""

    status: int
    headers: list[tuple[str, str]]
    body: bytes
    seen: Seen | None
    records: list

    def field(self, name):
        """The value of a header field that stands once, None for one that is not there."""
        found = [value for known, value in self.headers if known == name]
        assert len(found) <= 1, f"{name} is answered twice"
        return found[0] if found else None


def exchange(send, keys, upstream, asked):
    """Send one request, and gather what came of it."""
    reached, recorded = len(upstream.seen), len(keys.events)
    status, headers, body = send(asked)
    seen = upstream.seen[reached:]
    assert len(seen) <= 1, "the application was called twice"
    told = [(name.decode("latin-1").lower(), value.decode("latin-1")) for name, value in headers]
    return Answer(status, told, body, seen[0] if seen else None, keys.events[recorded:])


def declarations(adapter):
    """All of `RULES` that answers `OK`, as (method, path, what it declares), for frameworks whose routes declare it.

    Some let a route for GET answer HEAD and OPTIONS too: those of their own come first.
    """
    requires, writes, reads = adapter.requires, "datasets:write", "datasets:read"
    return (
        ("GET", "/datasets/{id}", requires(reads, object="id")),
        ("POST", "/datasets", requires(writes)),
        ("POST", "/runs", requires(any_of=[[reads, writes, "jobs:write"], [writes, "jobs:write"]])),
        ("POST", "/trial", requires(writes, mode="report")),
        ("GET", "/whoami", requires()),
        ("GET", "/nobody", requires(any_of=[])),
        ("GET", "/open", adapter.public()),
        ("HEAD", "/listed", requires("jobs:write")),
        ("OPTIONS", "/listed", requires(writes)),
        ("GET", "/listed", requires(reads)),
    )
