"""Every attack of `spec/vectors/attacks.json`, byte for byte, against every adapter, proxy and door on a real server.

The law is in `law.py`, what servers do beside it in `known.py`.
"""

import pytest

from tests.attacks.cases import CASES, GROUPS
from tests.attacks.known import KNOWN, unknown
from tests.attacks.registry import FRONTS

# A front that is slow runs all its cases before the first test of it.
pytestmark = [pytest.mark.journey, pytest.mark.timeout(300)]

each_front = pytest.mark.parametrize("measured", FRONTS, indirect=True, ids=lambda front: front.name)


@each_front
@pytest.mark.parametrize("group", GROUPS)
def test_what_is_served_is_what_was_decided(measured, group):
    found = {case.id: measured.breaches[case.id] for case in CASES if case.group == group}
    assert {} == {name: left for name, broken in found.items() if (left := unknown(measured.front.name, name, broken))}


@each_front
def test_no_log_holds_a_secret(measured):
    assert [] == [line for line in measured.told_secrets if not _quotes_its_request_line(measured.front.name, line)]


def _quotes_its_request_line(front, line):
    return "gunicorn" in front and "Invalid HTTP Version" in line


@each_front
def test_an_allowed_call_is_served_and_a_refused_one_is_not(measured):
    if measured.front.answers != 200:
        pytest.skip("this front refuses everybody, and has to")
    calls = {"credentials/api_key": "served", "credentials/missing": "refused", "credentials/none": "refused"}
    assert calls == {name: measured.outcomes[name] for name in calls}


def test_what_is_known_of_servers_is_still_so(all_measured):
    if len(all_measured) < len(FRONTS):
        pytest.skip("not every front was measured")
    found = [
        (front, case, breach)
        for front, one in all_measured.items()
        for case, broken in one.breaches.items()
        for breach in broken
    ]
    assert [] == [known for known in KNOWN if not known.seldom and not any(known.covers(*one) for one in found)]
