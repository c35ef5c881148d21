"""Decisions as bytes: what is read is what the verifier's own process would have written, or nothing at all."""

import json
from functools import reduce

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scopekey.audit.entry import canonical, read_entry
from scopekey.core.decision import Allowed, DenialReason, Denied
from scopekey.core.matcher import Match
from scopekey.core.requirement import need
from scopekey.core.rules import Operation
from scopekey.replica.batch import Batch
from scopekey.replica.batch_bytes import encode, unreadable
from scopekey.replica.event import Event
from scopekey.replica.refusals import Cell
from scopekey.wire.decisions import MAX_RECORDS, MAX_TEXT, UnreadableBatchError, read_batch
from tests.contract.event_entries import entry_of, refusals_entry
from tests.contract.index import REGISTER, key
from tests.laws import values

NODE, FILE = "00112233445566aa", "ffeeddccbbaa9988"
NONCE = bytes(range(16))
GET = Operation.parse("GET /datasets/{dataset_id}")
REASONS = st.sampled_from(list(DenialReason))

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
numbers = st.integers(0, 2**53 - 1)


@st.composite
def needs(draw, register):
    requirement = draw(values.requirements(register))
    return draw(st.none() | st.just(need(requirement, register)))


@st.composite
def decisions(draw, register, need_):
    key_ = draw(st.none() | values.keys(register))
    secret = draw(st.none() | st.just(values.SECRET)) if key_ else None
    if draw(st.booleans()):
        alternatives = len(need_.requirement.any_of) if need_ else 1
        if alternatives:
            return Allowed(key_, secret, need_, draw(st.integers(0, alternatives - 1)))
    missing = draw(st.lists(st.sampled_from(values.platform(register)), max_size=3))
    return Denied(
        draw(REASONS), key_, secret, draw(st.none() | st.just(need_)), tuple(map(register.catalog.permission, missing))
    )


@st.composite
def events(draw):
    register = draw(values.registers)
    need_ = draw(needs(register))
    return Event(
        draw(decisions(register, need_)),
        draw(values.times),
        draw(texts.map(lambda text: text.replace("\0", ""))),
        draw(st.none() | st.just(register)),
        draw(st.none() | st.builds(Match, st.just(GET), st.just(need_), st.booleans())),
        draw(st.none() | texts),
        draw(st.none() | texts),
        draw(st.none() | texts),
        draw(numbers),
        draw(numbers),
        draw(st.booleans()),
    )


cells = st.builds(Cell, st.integers(0, 2**52), REASONS.map(str), texts)
counted = st.lists(st.tuples(cells, st.integers(1, 2**53 - 1)), max_size=3)


def written(batch):
    """The entries that the process itself would write, with the node's name."""
    found = [entry_of(event, NONCE) for event in batch.events]
    found += [refusals_entry(cell, count, NONCE) for cell, count in batch.counts]
    return [msgspec.structs.replace(entry, node=NODE) for entry in found]


@settings(deadline=None)
@given(st.lists(events(), min_size=1, max_size=8), counted, st.integers(0, 2**50), st.integers(0, 2**50), st.booleans())
def test_a_batch_is_read_as_the_entries_that_its_events_are(some, counts, offset, lost, durable):
    batch = Batch(FILE, offset + lost, lost, tuple(some), tuple(counts), durable)
    read, entries = read_batch(encode(batch, NODE), lambda size: NONCE * (size // 16))
    assert (NODE, FILE, offset + lost, lost, batch.next) == (read.node, read.file, read.offset, read.lost, read.next)
    assert list(map(canonical, written(batch))) == entries
    assert durable == read.durable


def event(number=0, **fields):
    decision = Allowed(key(number), key(number).secrets[0])
    return msgspec.structs.replace(Event(decision, 60_000, "req-1", REGISTER, operation="GET /"), **fields)


def test_what_decisions_have_in_common_stands_once():
    need_ = need(values.Requirement.all_of(REGISTER.catalog.permission("datasets:read")), REGISTER)
    match = Match(GET, need_)
    some = [event(number, decision=Allowed(key(number), need=need_), match=match) for number in range(100)]
    batch = json.loads(encode(Batch(FILE, 0, 0, tuple(some)), NODE))
    assert [["GET /", [["datasets:read"]], [["read", "Core"]], False]] == batch["operations"]
    assert [["datasets:read"]] == batch["grants"]
    assert {(0, 0)} == {(row[1], row[5]) for row in batch["decisions"]}


def test_each_entry_draws_its_own_nonce():
    drawn = iter(range(9))
    encoded = encode(Batch(FILE, 0, 0, (event(), event()), ((Cell(0, "unknown_key", "::/48"), 2),)), NODE)
    _, entries = read_batch(encoded, lambda size: b"".join(next(drawn).to_bytes(16, "big") for _ in range(size // 16)))
    assert [f"{number:032x}" for number in range(3)] == [read_entry(entry).nonce for entry in entries]


def test_a_cut_is_the_last_record_and_an_entry_of_its_own():
    cut = {**plain(), "cut": 37}
    read, entries = read_batch(json.dumps(cut).encode(), bytes, 1_800_000_000_000)
    assert (4, 14) == (len(read), read.next)
    last = read_entry(entries[-1])
    assert ("gap", "journal.cut", NODE, 37, 1_800_000_000_000) == (
        *(last.kind, last.action, last.node),
        *(last.count, last.at),
    )


def test_nothing_but_what_was_lost_is_a_batch_too():
    read, entries = read_batch(json.dumps({**plain(), "decisions": [], "refusals": []}).encode(), bytes)
    assert (10, 2, []) == (read.next, read.lost, entries)


def plain():
    """A small good batch, as JSON."""
    counts = ((Cell(60_000, "unknown_key", "192.0.2.0/24"), 7),)
    return json.loads(encode(Batch(FILE, 10, 2, (event(0), event(1)), counts), NODE))


def refusal_of(batch):
    content = batch if isinstance(batch, bytes) else json.dumps(batch).encode()
    with pytest.raises(UnreadableBatchError) as caught:
        read_batch(content, bytes)
    return caught.value


def test_the_plain_batch_itself_is_read():
    assert 3 == len(read_batch(json.dumps(plain()).encode(), bytes)[1])


def put(*path):
    """Put a value somewhere into the plain batch."""
    *way, value = path
    batch = plain()
    reduce(lambda place, step: place[step], way[:-1], batch)[way[-1]] = value
    return batch


AT, OPERATION, KEY, OWNER, SECRET, HELD, OUTCOME, MISSING, OBJECT, ADDRESS, REQUEST, POSITION, AGE, STALE = range(14)


@pytest.mark.parametrize(
    ("field", "batch"),
    [
        ("format", put("format", 2)),
        ("node", put("node", "machine-1")),
        ("node", put("node", NODE + "\n")),
        ("file", put("file", FILE.upper())),
        ("offset", put("offset", -1)),
        ("offset", put("offset", 2**53 - 1)),
        ("offset", put("offset", 10**300)),
        ("offset", put("offset", 1.5)),
        ("lost", put("lost", 11)),
        ("lost", put("lost", -1)),
        ("durable", put("durable", 0)),
        ("", {**plain(), "nonce": "00"}),
        ("", {name: value for name, value in plain().items() if name != "lost"}),
        ("decisions", {**plain(), "decisions": [], "refusals": [], "lost": 0}),
        ("cut", put("cut", -1)),
        ("decisions", put("decisions", plain()["decisions"][:1] * (MAX_RECORDS + 1))),
        ("decisions", put("decisions", plain()["decisions"][:1] * MAX_RECORDS)),
        ("decisions.1", put("decisions", 1, plain()["decisions"][1][:-1])),
        ("", put("decisions", 1, [*plain()["decisions"][1], 0])),
        ("decisions.1.0", put("decisions", 1, AT, -1)),
        ("decisions.1.0", put("decisions", 1, AT, 2**53)),
        ("decisions.1.0", put("decisions", 1, AT, 2**80)),
        ("decisions.1", put("decisions", 1, OPERATION, 1)),
        ("decisions.1.1", put("decisions", 1, OPERATION, -1)),
        ("decisions.1", put("decisions", 1, KEY, "key_00000000000")),
        ("decisions.1.2", put("decisions", 1, KEY, "key_000000000000\n")),
        ("decisions.1", put("decisions", 1, OWNER, "org_00000000000é")),
        ("decisions.1", put("decisions", 1, OWNER, None)),
        ("decisions.1", put("decisions", 1, KEY, None)),
        ("decisions.1.4", put("decisions", 1, SECRET, -1)),
        ("decisions.1.4", put("decisions", 1, SECRET, 2**31)),
        ("decisions.1", put("decisions", 1, HELD, 1)),
        ("decisions.1.5", put("decisions", 1, HELD, "datasets:read")),
        ("decisions.1.6", put("decisions", 1, OUTCOME, "no_such_code")),
        ("decisions.1.6", put("decisions", 1, OUTCOME, True)),
        ("decisions.1.7.0", put("decisions", 1, MISSING, ["x" * 98])),
        ("decisions.1.7.0", put("decisions", 1, MISSING, ["a\0"])),
        ("decisions.1.8", put("decisions", 1, OBJECT, "x" * (MAX_TEXT + 1))),
        ("decisions.1.9", put("decisions", 1, ADDRESS, "1" * 201)),
        ("decisions.1.10", put("decisions", 1, REQUEST, "r" * 201)),
        ("decisions.1", put("decisions", 1, REQUEST, "a\0b")),
        ("decisions.1.11", put("decisions", 1, POSITION, 2**53)),
        ("decisions.1.12", put("decisions", 1, AGE, -1)),
        ("decisions.1.13", put("decisions", 1, STALE, None)),
        ("operations.0.0", put("operations", 0, 0, "GET /\0")),
        ("operations.0.1", put("operations", 0, 1, "datasets:read")),
        ("operations.0.1.0.0", put("operations", 0, 1, [["a\0"]])),
        ("operations.0.2.0", put("operations", 0, 2, [["read"]])),
        ("refusals.0.3", put("refusals", 0, 3, 0)),
        ("refusals.0.3", put("refusals", 0, 3, -7)),
        ("refusals.0.1", put("refusals", 0, 1, "canary")),
        ("", b"\xff"),
        ("", b"{"),
        ("", b""),
        ("", json.dumps(plain()).replace("req-1", r"\ud800").encode()),
        ("", json.dumps(plain()).encode().replace(b"req-1", b"\xed\xa0\x80")),
    ],
)
def test_a_batch_with_anything_wrong_in_it_is_refused_with_its_place(field, batch):
    assert field == refusal_of(batch).field


def test_an_alternative_that_is_none_of_the_required_is_refused():
    batch = put("operations", 0, 1, [["datasets:read"]])
    batch["decisions"][1][OUTCOME] = 1
    assert "decisions.1" == refusal_of(batch).field


def test_an_entry_too_large_for_the_log_is_refused_however_small_the_batch():
    batch = put("grants", 0, ["x" * 90] * 750)
    assert len(json.dumps(batch)) > 65_535
    assert "decisions.0" == refusal_of(batch).field
    half = put("grants", 0, ["x" * 90] * 375)
    half["operations"][0][1] = [["x" * 90] * 375]
    assert "decisions.0" == refusal_of(half).field


def test_a_refusal_repeats_nothing_of_what_was_sent():
    for batch in (
        put("canary", 1),
        put("decisions", 1, OUTCOME, "canary"),
        put("decisions", 1, KEY, "canary"),
        put("node", "canary"),
        put("format", "canary"),
    ):
        assert "canary" not in str(refusal_of(batch))


def test_the_events_that_no_reader_takes_are_found():
    some = (event(), event(request_id="\ud800"), event(object="x" * (MAX_TEXT + 1)), event(age=-1), event(1))
    assert [1, 2, 3] == unreadable(some, NODE)
