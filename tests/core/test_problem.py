import pytest

from scopekey.core.decision import DenialReason
from scopekey.core.problem import PROBLEMS, ProblemError, document

# The public codes, written out: one that is renamed or taken away breaks somebody.
CODES = {
    "unreadable_target": 400,
    "no_credential": 401,
    "ambiguous_credential": 400,
    "malformed_key": 401,
    "stale_replica": 503,
    "unknown_key": 401,
    "revoked_key": 401,
    "expired_key": 401,
    "address_not_allowed": 401,
    "unlisted_operation": 401,
    "missing_permission": 401,
    "journal_unavailable": 503,
    "invalid_request": 422,
    "unknown_permission": 400,
    "exceeds_caller": 403,
    "not_found": 404,
    "conflict": 409,
    "rotation_in_progress": 409,
    "version_conflict": 412,
    "too_large": 413,
    "rate_limited": 429,
    "unavailable": 503,
}


def test_the_public_codes_keep_their_status():
    assert CODES == {code: problem.status for code, problem in PROBLEMS.items() if code in CODES}


def test_every_reason_to_deny_has_its_problem():
    assert {reason.value for reason in DenialReason} <= set(PROBLEMS)


def test_a_problem_stands_under_its_own_code_and_no_two_share_their_title():
    assert list(PROBLEMS) == [problem.code for problem in PROBLEMS.values()]
    assert len(PROBLEMS) == len({problem.title for problem in PROBLEMS.values()})


@pytest.mark.parametrize("problem", PROBLEMS.values(), ids=lambda problem: str(problem.code))
def test_a_problem_says_what_it_means_and_what_to_do(problem):
    assert problem.meaning.endswith(".")
    assert problem.action.endswith(".")
    assert f"{problem.meaning} {problem.action}" == problem.detail


def test_a_challenge_has_an_error_unless_no_key_was_sent():
    without = {problem.code for problem in PROBLEMS.values() if problem.challenge and problem.error is None}
    assert {"no_credential"} == without


def test_a_document_has_its_members_in_the_order_people_read_them():
    made = document(PROBLEMS["not_found"], detail="No key.", request_id="r1", status=410)
    assert [
        ("type", "urn:scopekey:problem:not_found"),
        ("title", "Not found"),
        ("status", 410),
        ("detail", "No key."),
        ("code", "not_found"),
        ("request_id", "r1"),
    ] == list(made.items())


def test_a_code_that_is_not_in_the_list_cannot_be_raised():
    with pytest.raises(KeyError):
        ProblemError("made_up", "x")
