"""The description of the management API: valid, complete, with examples that it would accept itself."""

from importlib.metadata import version
from itertools import chain

import httpx
import jsonschema_rs
import pytest
from schemathesis.specs.openapi.definitions import OPENAPI_31

from scopekey.core.problem import PROBLEMS
from scopekey.server.app import ControlPlane
from scopekey.server.beginning import begin
from scopekey.server.node import Node
from tests.server.running import Deployment, serving, settings


@pytest.fixture(scope="module")
def document(tmp_path_factory):
    """The document as the running process serves it, to anybody."""
    described = settings(tmp_path_factory.mktemp("described"))
    begin(described)
    node = Node.open(described)
    with serving(ControlPlane(node, close=False)) as url:
        yield httpx.get(f"{url}/openapi.json", trust_env=False).json()
    node.close()


@pytest.fixture(scope="module")
def operations(document):
    return {
        f"{method.upper()} {path}": operation
        for path, item in document["paths"].items()
        for method, operation in item.items()
    }


def test_it_is_valid_openapi_3_1(document):
    assert document["openapi"].startswith("3.1.")
    jsonschema_rs.Draft202012Validator(OPENAPI_31).validate(document)


KINDS = {
    "GET /v1/changes": ["application/jsonl"],
    "GET /v1/snapshot": ["application/jsonl"],
    "GET /v1/audit/export": ["application/jsonl", "text/csv"],
    "GET /v1/audit/checkpoint": ["text/plain"],
    "GET /v1/audit/key": ["text/plain"],
    "GET /v1/audit/tile/{path}": ["application/octet-stream"],
}


def test_it_names_the_product_and_its_version(document):
    assert ("Scopekey", version("scopekey")) == (document["info"]["title"], document["info"]["version"])


def test_it_lists_every_call_of_the_contract_and_no_other(operations):
    assert {
        "POST /v1/keys",
        "GET /v1/keys",
        "GET /v1/keys/{key_id}",
        "PATCH /v1/keys/{key_id}",
        "POST /v1/keys/{key_id}/rotate",
        "POST /v1/keys/{key_id}/revoke",
        "POST /v1/keys/self/revoke",
        "GET /v1/keys/{key_id}/reach",
        "GET /v1/keys/{key_id}/usage",
        "GET /v1/whoami",
        "GET /v1/permissions",
        "GET /v1/presets",
        "POST /v1/verify",
        "GET /v1/changes",
        "GET /v1/snapshot",
        "POST /v1/organizations",
        "GET /v1/organizations",
        "GET /v1/organizations/{organization_id}",
        "PATCH /v1/organizations/{organization_id}",
        "POST /v1/journal",
        "GET /v1/audit/entries",
        "GET /v1/audit/entries/{index}",
        "GET /v1/audit/export",
        "GET /v1/audit/checkpoint",
        "GET /v1/audit/key",
        "GET /v1/audit/tile/{path}",
    } == set(operations)


def test_every_operation_says_what_it_is_and_what_it_needs(document, operations):
    schemes = document["components"]["securitySchemes"]
    assert {"http", "apiKey"} == {scheme["type"] for scheme in schemes.values()}
    for name, operation in operations.items():
        assert operation["summary"], name
        assert operation["description"], name
        assert [{scheme: []} for scheme in schemes] == operation["security"], name
        assert operation["x-required-permissions"], name
    assert [["scopekey_keys:write"]] == operations["POST /v1/keys"]["x-required-permissions"]
    assert [["scopekey_verifications:write"]] == operations["POST /v1/verify"]["x-required-permissions"]
    assert [[]] == operations["GET /v1/whoami"]["x-required-permissions"]


def test_every_request_body_has_examples_that_its_schema_accepts(document, operations):
    seen = 0
    for name, operation in operations.items():
        for media in operation.get("requestBody", {}).get("content", {}).values():
            schema = _resolved(document, media["schema"])
            examples = schema["examples"]
            validator = jsonschema_rs.Draft202012Validator({**schema, "components": document["components"]})
            assert [] == [error.message for error in chain(*map(validator.iter_errors, examples))], name
            assert not validator.is_valid({**examples[0], "no_such_field": 1}), name
            seen += len(examples)
    assert seen >= 8


def test_every_refusal_is_a_problem_document_with_an_example_that_fits(document, operations):
    validator = jsonschema_rs.Draft202012Validator(document["components"]["schemas"]["Problem"])
    for name, operation in operations.items():
        statuses = {int(status) for status in operation["responses"]}
        assert {400, 401, 413, 422, 503} < statuses, name
        for status, response in operation["responses"].items():
            if int(status) < 400:
                assert KINDS.get(name, ["application/json"]) == list(response["content"]), name
                continue
            for code, example in response["content"]["application/problem+json"]["examples"].items():
                validator.validate(example["value"])
                assert (code, int(status)) == (example["value"]["code"], PROBLEMS[code].status)


@pytest.mark.parametrize(
    ("operation", "codes"),
    [
        ("POST /v1/keys", {"unknown_permission", "exceeds_caller", "not_found", "conflict"}),
        ("PATCH /v1/keys/{key_id}", {"unknown_permission", "exceeds_caller", "not_found", "version_conflict"}),
        ("POST /v1/keys/{key_id}/rotate", {"exceeds_caller", "not_found", "rotation_in_progress", "conflict"}),
        ("PATCH /v1/organizations/{organization_id}", {"exceeds_caller", "not_found", "conflict", "version_conflict"}),
        ("POST /v1/journal", {"conflict", "invalid_request"}),
        ("GET /v1/whoami", {"no_credential", "unknown_key", "revoked_key", "stale_replica", "unavailable"}),
    ],
)
def test_refusals_are_documented_where_they_occur(operations, operation, codes):
    responses = operations[operation]["responses"].values()
    media = [content for response in responses for content in response["content"].values()]
    assert codes <= {code for content in media for code in content.get("examples", {})}


def test_the_frameworks_own_problem_is_not_in_it(document):
    assert not {"HTTPValidationError", "ValidationError"} & set(document["components"]["schemas"])
    assert "/$defs/" not in str(document)


def test_a_missing_permission_is_documented_with_the_status_that_is_set(place):
    node = Node.open(settings(place[0].home.parent, missing_permission_status=403))
    caller = Deployment(node, place[1]).key("datasets:read")[1]
    with serving(ControlPlane(node, close=False)) as url:
        document = httpx.get(f"{url}/openapi.json", trust_env=False).json()
        headers = {"Authorization": f"Bearer {caller}"}
        status = httpx.get(f"{url}/v1/keys", headers=headers, trust_env=False).status_code
    node.close()
    assert 403 == status
    assert "403" in document["paths"]["/v1/keys"]["get"]["responses"]
    jsonschema_rs.Draft202012Validator(OPENAPI_31).validate(document)


def _resolved(document, schema):
    if "$ref" in schema:
        return document["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    return schema
