"""The use of keys over HTTP: by permission and day, and in lists."""

from datetime import datetime

import pytest

from scopekey.audit.entry import Entry
from scopekey.insight.use import DAY, fold
from scopekey.replica.clock import milliseconds
from scopekey.wire.times import from_millis, rfc3339
from tests.server.running import problem


def use(deployment, key, *, at, used=None, missing=None):
    """Let a decision about a key be one that was counted."""
    entry = Entry(
        nonce="0" * 32,
        at=at,
        kind="decision",
        key=key["id"],
        secret=1,
        used=used,
        missing=missing,
        allowed=missing is None,
    )
    with deployment.node.store.writing() as tx:
        tx.usage.add(*fold([entry]))


def test_what_a_key_was_used_for_is_told_by_permission_and_day(operator, key, deployment):
    path = f"/v1/keys/{key['id']}/usage"
    now = milliseconds()
    use(deployment, key, at=now - DAY, used=["datasets:read"])
    use(deployment, key, at=now, missing=["datasets:write"])
    told = operator("GET", path).json()
    assert (key["id"], 1, 1, [], from_millis(now - DAY)) == (
        *(told[name] for name in ("key", "uses", "refusals", "unused")),
        datetime.fromisoformat(told["last_used"]),
    )
    assert {"datasets:read": (True, 1, 0, 1), "datasets:write": (False, 0, 1, 1)} == {
        one["permission"]: (one["held"], one["uses"], one["refusals"], len(one["days"])) for one in told["permissions"]
    }
    yesterday, today = (from_millis(at).date().isoformat() for at in (now - DAY, now))
    assert [(yesterday, 1, 0), (today, 0, 1)] == [tuple(day.values()) for day in told["days"]]
    assert [(1, 1, True)] == [(one["number"], one["uses"], one["live"]) for one in told["secrets"]]
    assert [today] == [day["day"] for day in operator("GET", path, params={"days": 1}).json()["days"]]


@pytest.mark.parametrize("days", [0, 401, "x"])
def test_days_that_are_not_kept_apart_cannot_be_asked_for(operator, key, days):
    answer = operator("GET", f"/v1/keys/{key['id']}/usage", params={"days": days})
    assert ((422, "invalid_request"), "days") == (problem(answer), answer.json()["field"])


def test_a_key_is_listed_with_its_last_use_and_by_it(operator, key, deployment):
    now = milliseconds()
    use(deployment, key, at=now, used=["datasets:read"])
    assert from_millis(now) == datetime.fromisoformat(operator("GET", f"/v1/keys/{key['id']}").json()["last_used"])

    def unused(since):
        found = operator("GET", "/v1/keys", params={"unused_since": since, "text": "Dashboard"}).json()
        return [item["id"] for item in found["items"]]

    assert ([], [key["id"]]) == (unused(rfc3339(now)), unused(rfc3339(now + 1)))
