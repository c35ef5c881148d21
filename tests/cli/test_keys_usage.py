"""`scopekey keys usage` on the home folder: for pipes, for people, and for programs."""

import json
from datetime import date, timedelta

import pytest

from scopekey.audit.entry import Entry, canonical
from scopekey.cli.keys_usage import chart
from scopekey.replica.clock import milliseconds
from scopekey.store.engine import Store
from scopekey.wire.times import rfc3339
from scopekey.wire.usage import DayUse
from tests.cli.reading import rows
from tests.cli.terminal import at_a_terminal, plain

DAY = 86_400_000
TODAY = date(2026, 11, 26)


@pytest.fixture
def decide(home):
    """Let decisions about a key arrive, as a verifier hands them over: so many, some days ago."""

    def decide(key_id, count=1, *, ago=0, secret=1, used=None, missing=None):
        entry = Entry(
            nonce="0" * 32,
            at=milliseconds() - ago * DAY,
            kind="decision",
            key=key_id,
            secret=secret,
            used=used,
            missing=missing,
            allowed=missing is None,
        )
        store = Store.open(f"sqlite:///{home / 'scopekey.db'}")
        with store.writing() as tx:
            tx.entries.append([canonical(entry)] * count)
        store.close()

    return decide


def drawn(*uses, days):
    counts = [DayUse(day=TODAY - timedelta(days=ago), uses=number, refusals=0) for ago, number in uses]
    return chart(counts, TODAY, days)


@pytest.mark.parametrize(
    ("uses", "days", "expected"),
    [
        ([], 7, "-"),
        ([(0, 1)], 7, "      █"),
        ([(6, 8), (5, 4), (4, 1), (0, 8)], 7, "█▄▁   █"),
        ([(0, 5), (7, 100)], 7, "      █"),
        ([(89, 3), (88, 3), (87, 3)], 90, "█"),
        ([(0, 1), (1, 10_000)], 2, "█▁"),
        ([(-1, 5)], 7, "-"),
        ([(0, 1)], 1, "█"),
    ],
    ids=[
        "nothing",
        "today",
        "a week",
        "what is older does not count",
        "several days to a column",
        "one among many is seen",
        "a clock that is ahead",
        "one day",
    ],
)
def test_the_chart_has_the_newest_at_the_right(uses, days, expected):
    assert expected == drawn(*uses, days=days)


def test_use_is_one_plain_line_for_each_permission_in_a_pipe(command, issue, decide):
    key_id, _ = issue("datasets:read", "queries:read")
    decide(key_id, 1_200, used=["datasets:read"])
    decide(key_id, 2, missing=["jobs:write"])
    told = command("keys", "usage", key_id)
    assert [
        ["datasets:read", "1200", "0", ""],
        ["jobs:write", "0", "2", "not held"],
        ["queries:read", "0", "0", "unused"],
    ] == [[name, *counts] for name, _, *counts in rows(told.out)]
    assert ["never", "never"] == [row[1] for row in rows(told.out)[1:]]
    assert "1 of the 2 permissions that it holds was never used" in told.err
    assert "1,200 calls, 2 refused; counted up to" in told.err


def test_people_get_a_chart(command, issue, decide, home):
    key_id, _ = issue("datasets:read", "queries:read")
    decide(key_id, 8, ago=2, used=["datasets:read"])
    decide(key_id, 1_200, used=["datasets:read"])
    code, shown = at_a_terminal("keys", "usage", key_id, "--days", "3", home=home)
    (line,) = [line for line in plain(shown).splitlines() if line.startswith("datasets:read")]
    assert (0, True, True) == (code, "▁ █" in line, "1,208" in line)
    assert "3 days" in plain(shown)


def test_what_a_key_holds_no_longer_is_told_apart(command, issue, decide):
    key_id, _ = issue("datasets:read", "queries:read")
    decide(key_id, used=["datasets:read"])
    command("keys", "edit", key_id, "--remove", "datasets:read")
    assert {"datasets:read": "no longer held", "queries:read": "unused"} == {
        row[0]: row[-1] for row in rows(command("keys", "usage", key_id).out)
    }


@pytest.mark.parametrize(
    ("still", "told"),
    [
        (False, "Secret 1 was not used since secret 2 was made: it can be ended."),
        (True, "Secret 1 was used since secret 2 was made: whoever has it still needs the new one."),
    ],
    ids=["not used", "used"],
)
def test_after_a_rotation_the_old_secret_is_told_to_be_in_use_or_not(command, issue, decide, still, told):
    key_id, _ = issue("datasets:read")
    decide(key_id, ago=1, used=["datasets:read"])
    command("keys", "rotate", key_id, "--overlap", "1h", "--key-file", "new")
    decide(key_id, secret=2, used=["datasets:read"])
    if still:
        decide(key_id, secret=1, used=["datasets:read"])
    said = command("keys", "usage", key_id).err
    assert told in said
    assert ["1 call, last", "2 calls, last"][still] in said.splitlines()[0]


def test_use_as_json_is_the_answer_of_the_api(command, issue, decide):
    key_id, _ = issue("datasets:read", "queries:read")
    decide(key_id, used=["datasets:read"])
    told = json.loads(command("keys", "usage", key_id, "--days", "1", "--json").out)
    assert (1, ["queries:read"], ["datasets:read", "queries:read"]) == (
        told["uses"],
        told["unused"],
        [one["permission"] for one in told["permissions"]],
    )


def test_keys_that_nothing_uses_are_listed(command, issue, decide):
    used, _ = issue("datasets:read", name="Used")
    issue("datasets:read", name="Idle")
    since = rfc3339(milliseconds())
    decide(used, used=["datasets:read"])
    assert ["First key", "Idle"] == [row[1] for row in rows(command("keys", "list", "--unused-since", since).out)]
    assert "" == command("keys", "list", "--unused-since", "1d").out
    assert (2, "") == command("keys", "list", "--unused-since", "yesterday")[:2]


def test_an_unknown_key_has_no_use(command, operator):
    ended = command("keys", "usage", "key_000000000000")
    assert (1, "") == ended[:2]
    assert "There is no key with that id." in ended.err


def test_a_key_needs_the_permission_to_look_at_use(command, issue):
    key_id, printed = issue("scopekey_keys:read")
    assert 1 == command("keys", "usage", key_id, api_key=printed).code
    looking, printed = issue("scopekey_usage:read")
    assert 0 == command("keys", "usage", looking, api_key=printed).code
