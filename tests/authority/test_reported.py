from scopekey.audit.entry import Entry, canonical
from scopekey.authority.reported import Reported, reported

OPERATION = "POST /jobs"


def record(home, *entries):
    with home.store.writing() as tx:
        tx.entries.append([canonical(entry) for entry in entries])
    home.seal()


def denial(at, key="key_000000000001", organization="org_000000000001", report=True):
    return Entry(
        nonce="00" * 16,
        at=at,
        kind="decision",
        organization=organization,
        key=key,
        operation=OPERATION,
        missing=["jobs:write"],
        allowed=False,
        code="missing_permission",
        report=report or None,
    )


def test_forgiven_denials_are_counted_by_operation_key_and_what_was_missing(home):
    record(home, denial(10), denial(30), denial(20, key="key_000000000002"), denial(40, report=False))
    expected = (
        Reported(OPERATION, "key_000000000001", ("jobs:write",), 2, 10, 30),
        Reported(OPERATION, "key_000000000002", ("jobs:write",), 1, 20, 20),
    )
    assert expected == reported(home.authority, home.machine, since=0)


def test_what_is_older_than_asked_for_does_not_count(home):
    record(home, denial(10), denial(30))
    assert [1] == [one.count for one in reported(home.authority, home.machine, since=11)]
