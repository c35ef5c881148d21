"""Finding keys: what is another organization's is not there."""

import base64

import pytest

from scopekey.authority.find_key import KeyQuery, list_keys, show_key
from scopekey.authority.reach_key import reach_key, whoami
from scopekey.core.problem import ProblemError
from tests.authority.home import MANAGE, refused

LOOK = "scopekey_keys:read"


def test_anothers_key_is_answered_exactly_like_one_that_is_not_there(home):
    theirs = home.issue(organization=home.tenant("A")).key.id
    by = home.caller(LOOK, MANAGE, organization=home.tenant("B"))
    acts = (
        lambda key_id: show_key(home.authority, by, key_id),
        lambda key_id: reach_key(home.authority, by, key_id),
        lambda key_id: home.edit(key_id, by=by, permissions=[]),
        lambda key_id: home.rotate(key_id, by=by),
        lambda key_id: home.revoke(key_id, by=by),
    )
    told = []
    for act in acts:
        for key_id in (theirs, "key_000000000000", "key_\x00", "nonsense"):
            with pytest.raises(ProblemError) as caught:
                act(key_id)
            told.append((caught.value.problem.code, str(caught.value), caught.value.fields))
    assert [("not_found", "There is no key with that id.", {})] * len(told) == told
    assert home.key(theirs).revoked is None


def test_a_tenant_lists_its_own_and_the_operator_everyones(home):
    tenant = home.tenant()
    by = home.caller(LOOK, organization=tenant)
    mine = [item.id for item in list_keys(home.authority, by, KeyQuery()).items]
    everyones = list_keys(home.authority, home.caller(LOOK), KeyQuery())
    named = list_keys(home.authority, home.machine, KeyQuery(organization=tenant))
    operator = home.index.key(home.caller().id).organization
    assert ([by.id], [by.id]) == (mine, [item.id for item in named.items])
    assert {operator} == {item.organization for item in everyones.items}
    with refused("not_found"):
        list_keys(home.authority, by, KeyQuery(organization=operator))


def test_pages_follow_one_another_to_the_end(home):
    made = []
    for _ in range(5):
        home.now += 1
        made.append(home.issue("jobs:read").key.id)
    seen, cursor = [], None
    while True:
        page = list_keys(home.authority, home.machine, KeyQuery(limit=2, cursor=cursor, permission="jobs:read"))
        seen += [item.id for item in page.items if item.nearest_preset is None]
        cursor = page.next
        if cursor is None:
            break
    assert made == [key_id for key_id in seen if key_id in made]


@pytest.mark.parametrize(
    "inside", ["", "1", "x.key_000000000000", "-1.key_000000000000", f"{10**15}.key_000000000000", "1.key_\x00", "1_0."]
)
def test_a_cursor_of_somebody_elses_making_is_refused(home, inside):
    for cursor in (base64.urlsafe_b64encode(inside.encode()).decode().rstrip("="), inside + "é"):
        with refused("invalid_request", field="cursor"):
            list_keys(home.authority, home.machine, KeyQuery(cursor=cursor))


def test_a_key_is_told_what_it_is_and_reaches(home):
    by = home.caller("jobs:read")
    told = whoami(home.authority, by)
    assert (by.id, ["jobs:read"], ["GET /jobs"]) == (told.key.id, told.reach.permissions, told.reach.open)
    reach = reach_key(home.authority, home.caller(LOOK), by.id, without=["jobs:read"])
    assert ([], 1) == (reach.open, reach.closed_count)
