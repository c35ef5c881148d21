"""The log as it is read: entries by their place, and by what they say."""

import itertools

import pytest

from scopekey.audit.entry import canonical
from scopekey.store import log_reader
from scopekey.store.log_reader import EntryFilter
from tests.contract.sealed import ACME, ANOTHER, HOSTILE, KEY, OTHER, change, decision, entry, seal_entries

SEALED = [
    change(0, "organization.create", organization=ACME, object=ACME),
    change(1, organization=ACME, key=KEY, object=KEY, after={"name": HOSTILE}),
    decision(2),
    decision(3, "missing_permission", operation="POST /jobs", missing=["jobs:write"], intended=[["write", "Jobs"]]),
    decision(4, organization=OTHER, key=ANOTHER, request_id="req_2"),
    decision(5, "missing_permission", report=True),
    entry(6, kind="refusals", code="unknown_key", allowed=False, count=17, address="192.0.2.0/24"),
    decision(7, "expired_key", key=ANOTHER, required=[["jobs:write"], ["jobs:read"]], missing=None, used=None),
    decision(8, intended=[["write", "Core Data"], ["read", "Jobs"]], object=HOSTILE),
    change(9, "key.revoke", organization=OTHER, key=ANOTHER),
]

TABLE = [
    ({}, range(10)),
    ({"organization": ACME}, [0, 1, 2, 3, 5, 7, 8]),
    ({"key": KEY}, [1, 2, 3, 5, 8]),
    ({"key": ANOTHER}, [4, 7, 9]),
    ({"key": ANOTHER, "organization": ACME}, [7]),
    ({"key": "key_none"}, []),
    ({"request_id": "req_2"}, [2, 4]),
    ({"request_id": "req_2", "organization": OTHER}, [4]),
    ({"kind": "change"}, [0, 1, 9]),
    ({"kind": "refusals"}, [6]),
    ({"action": "key.revoke"}, [9]),
    ({"operation": "POST /jobs"}, [3]),
    ({"decision": "allowed"}, [2, 4, 8]),
    ({"decision": "refused"}, [3, 6, 7]),
    ({"decision": "reported"}, [5]),
    ({"decision": "missing_permission"}, [3]),
    ({"decision": "unknown_key"}, [6]),
    ({"since": 1_007}, [7, 8, 9]),
    ({"until": 1_002}, [0, 1]),
    ({"since": 1_002, "until": 1_004, "key": KEY}, [2, 3]),
    ({"actor": "home"}, [0, 1, 9]),
    ({"actor": KEY}, [2, 3, 5, 8]),
    ({"permission": "datasets:read"}, [2, 3, 4, 5, 8]),
    ({"permission": "jobs:write"}, [3, 7]),
    ({"permission": "jobs:read"}, [7]),
    ({"level": "write"}, [3, 8]),
    ({"group": "Core Data"}, [2, 4, 5, 7, 8]),
    ({"level": "write", "group": "Core Data"}, [8]),
    ({"level": "write", "group": "Jobs"}, [3]),
    ({"level": "write", "key": ANOTHER}, []),
]


class LogRead:
    """What is in the log is found, and nothing else."""

    @pytest.fixture
    def sealed(self, store):
        """A store with a log of ten entries."""
        seal_entries(store, *SEALED)
        return store

    def look(self, store, *, after=-1, before=10, most=100, oldest=True, **wanted):
        with store.reading() as tx:
            found = tx.log_reader.search(EntryFilter(**wanted), after=after, before=before, most=most, oldest=oldest)
        return [one.index for one in found.entries], found.through, found.more

    def test_entries_are_found_by_what_they_say(self, sealed):
        for wanted, expected in TABLE:
            assert (list(expected), 9, False) == self.look(sealed, **wanted), wanted
            assert (list(expected)[::-1], 0, False) == self.look(sealed, oldest=False, **wanted), wanted

    def test_pages_follow_one_another_without_a_gap(self, sealed, monkeypatch):
        asked = [{}, {"key": KEY}, {"permission": "datasets:read"}]
        for wanted, oldest, look_at_most in itertools.product(asked, [True, False], [20_000, 3]):
            monkeypatch.setattr(log_reader, "LOOK_AT_MOST", look_at_most)
            seen, more, bounds = [], True, {"after": -1, "before": 10}
            while more:
                page, through, more = self.look(sealed, most=2, oldest=oldest, **bounds, **wanted)
                assert len(page) <= 2
                seen += page
                bounds["after" if oldest else "before"] = through
            assert next(list(found) for asked, found in TABLE if asked == wanted) == sorted(seen)

    def test_a_search_that_finds_nothing_for_long_gives_up_and_says_where(self, sealed, monkeypatch):
        monkeypatch.setattr(log_reader, "LOOK_AT_MOST", 4)
        assert ([], 6, True) == self.look(sealed, oldest=False, action="key.issue")
        assert ([], 2, True) == self.look(sealed, oldest=False, action="key.issue", before=6)
        assert ([1], 0, False) == self.look(sealed, oldest=False, action="key.issue", before=2)

    def test_an_entry_is_found_by_its_index_as_it_was_written(self, sealed):
        with sealed.reading() as tx:
            found = tx.log_reader.entry(8)
            assert (8, SEALED[8], canonical(SEALED[8])) == (found.index, found.entry, found.body)
            assert (None, None) == (tx.log_reader.entry(10), tx.log_reader.entry(-1))

    def test_what_has_no_number_yet_is_not_found(self, sealed):
        late = decision(99)
        with sealed.writing() as tx:
            tx.entries.append([canonical(late)])
        assert 10 == len(self.look(sealed)[0])
