"""A problem becomes a document, whatever is in it."""

import json

from scopekey.core.problem import PROBLEMS
from scopekey.wire.problems import problem_document

CONFLICT = PROBLEMS["conflict"]


def test_a_document_has_the_common_members_first_and_leaves_out_what_is_none():
    body = problem_document(CONFLICT, detail="Two at once.", request_id="req_1", key_id="key_1", field=None)
    expected = {
        "type": "urn:scopekey:problem:conflict",
        "title": "Conflict",
        "status": 409,
        "detail": "Two at once.",
        "code": "conflict",
        "request_id": "req_1",
        "key_id": "key_1",
    }
    assert list(expected.items()) == list(json.loads(body).items())


def test_a_lone_surrogate_makes_a_document_and_no_fault():
    body = problem_document(CONFLICT, detail="\ud800", request_id="r", names=["\udfff", {"\ud800": 1}])
    assert ("?", ["?", {"?": 1}]) == (json.loads(body)["detail"], json.loads(body)["names"])
