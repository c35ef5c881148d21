"""The management API's page, from its OpenAPI document and the rules that guard it."""

from typing import Any, cast

from scopekey.core.requirement import Requirement
from scopekey.enforce.fastapi import rules_of
from scopekey.server.app import management_api
from scopekey.server.node import Node
from tools.docs_text import page, table

ABOUT = """JSON under `/v1`, with a key of its own on every call: `Authorization: Bearer <key>` or `X-API-Key:
<key>`. The same description as OpenAPI 3.1 with examples is served at `/openapi.json`.

Lists come in pages: `limit`, and `next` in the answer is the `cursor` of the next call. Times are RFC 3339 in UTC,
durations `90d`, `24h` or ISO 8601. A field that is not known is refused. Every change answers with
`Scopekey-Position`. A thing has a version, given as `ETag`; send it back in `If-Match`, and a change in between is
refused with `version_conflict`. Where `Idempotency-Key` is taken, a repeat within a day answers 200 without making
anything again.

Any call can be refused with `unreadable_target`, any of the [problems of a check](problems.md), `invalid_request`,
`too_large` or `unavailable`; below stand only the others."""

_READY = """200 while the node answers checks, 503 while its replica is missing or older than
`SCOPEKEY_REFUSE_AFTER`: `ready`, `worker` (its process id), `position`, `age` (milliseconds, `null`: never level),
`stale`; at a gateway also `follower`"""
_PROBES = (
    ("`GET /healthz`", "200 while the process lives"),
    ("`GET /readyz`", " ".join(_READY.split())),
    ("`GET /metrics`", "numbers of all workers, for Prometheus ([metrics](metrics.md))"),
)
_NODES = f"""## Probes

Outside the guard, and answered by each worker process for itself, here and at a gateway:

{table(("call", "answers"), _PROBES)}"""

_USUAL = frozenset(
    {"unreadable_target", "no_credential", "missing_permission", "invalid_request", "unavailable", "too_large"}
)


class NoNode:
    """Stands in for the node: describing an API needs its routes, not its store."""

    missing_permission_status = 401


def pages() -> dict[str, str]:
    """The page: a heading for each call."""
    api = management_api(cast("Node", NoNode()), close=False)
    # A parameter that spans segments is written with a star in rules, and like any other one in OpenAPI.
    needs = {str(rule.operation).replace("*}", "}"): rule.requirement for rule in rules_of(api).rules}
    document = api.openapi()
    calls = [
        (f"{method.upper()} {path}", operation)
        for path, item in document["paths"].items()
        for method, operation in item.items()
    ]
    rows = [(f"[`{call}`](#{_anchor(call)})", _need(needs[call]), _does(operation)) for call, operation in calls]
    parts = [_call(call, operation, needs[call], document) for call, operation in calls]
    text = page(
        "Management API",
        "the routes in `src/scopekey/server/api`",
        ABOUT,
        table(("call", "needs", "does"), rows),
        *parts,
        _NODES,
    )
    return {"docs/reference/http-api.md": text}


def _anchor(call: str) -> str:
    return "".join(c for c in call.lower() if c.isalnum() or c in "_- ").replace(" ", "-")


def _does(operation: dict[str, Any]) -> str:
    return str(operation["description"]).split("\n\n", maxsplit=1)[0]


def _need(requirement: Requirement | None) -> str:
    if requirement is None:
        return "nothing"
    return ", or ".join(" and ".join(f"`{name}`" for name in names) or "any live key" for names in requirement.names())


def _call(call: str, operation: dict[str, Any], need: Requirement | None, document: dict[str, Any]) -> str:
    taken = [_parameter(parameter) for parameter in operation.get("parameters", [])] + _fields(operation, document)
    parts = (
        f"## {call}",
        f"{_does(operation)} Needs {_need(need)}.",
        table(("takes", "in", "is"), taken),
        "Answers: " + "; ".join(_answers(operation["responses"])) + ".",
    )
    return "\n\n".join(part for part in parts if part)


def _parameter(parameter: dict[str, Any]) -> tuple[str, str, str]:
    place = parameter["in"] if parameter.get("required") else f"{parameter['in']}, optional"
    name = parameter["name"].title() if parameter["in"] == "header" else parameter["name"]
    return f"`{name}`", place, _kind(parameter["schema"])


def _fields(operation: dict[str, Any], document: dict[str, Any]) -> list[tuple[str, str, str]]:
    body = operation.get("requestBody")
    if body is None:
        return []
    schema = _resolve(body["content"]["application/json"]["schema"], document)
    required = schema.get("required", [])
    return [
        (f"`{name}`", "body" if name in required else "body, optional", _kind(field, document))
        for name, field in schema["properties"].items()
    ]


def _resolve(schema: dict[str, Any], document: dict[str, Any]) -> dict[str, Any]:
    reference = schema.get("$ref")
    found: dict[str, Any] = document["components"]["schemas"][reference.rpartition("/")[2]] if reference else schema
    return found


def _kind(schema: dict[str, Any], document: dict[str, Any] | None = None) -> str:
    """A value's type in words."""
    choices = [choice for choice in schema.get("anyOf", [schema]) if choice.get("type") != "null"]
    said = " or ".join(dict.fromkeys(_one(choice, document) for choice in choices))
    default = schema.get("default")
    return said if default in (None, [], {}) else f"{said}, default `{_printed(default)}`"


def _one(schema: dict[str, Any], document: dict[str, Any] | None) -> str:
    if "$ref" in schema and document is not None:
        fields = _resolve(schema, document)["properties"]
        return "object: " + ", ".join(f"`{name}`" for name in fields)
    if "enum" in schema:
        return " or ".join(f"`{value}`" for value in schema["enum"])
    if "const" in schema:
        return f"`{schema['const']}`"
    if "prefixItems" in schema:
        return "row"
    if schema.get("type") == "array":
        return f"list of {_one(schema['items'], document)}"
    return "time" if schema.get("format") == "date-time" else str(schema.get("type", "anything"))


def _printed(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, dict):
        return ", ".join(f"{name}: {_printed(item)}" for name, item in value.items())
    return "none" if value is None else str(value)


def _answers(responses: dict[str, Any]) -> list[str]:
    """The good answers by what they hold, the special refusals by their codes, in the order of their status."""
    found = []
    for status, response in sorted(responses.items()):
        examples = response.get("content", {}).get("application/problem+json", {}).get("examples", {})
        codes = [f"[`{code}`](problems.md#{code})" for code in examples if code not in _USUAL]
        if int(status) < 300:  # noqa: PLR2004 - the good ones
            found.append(f"{status} {_what(response)}")
        elif codes:
            found.append(f"{status} {', '.join(codes)}")
    return found


def _what(response: dict[str, Any]) -> str:
    content, said = response["content"], response["description"]
    if list(content) == ["application/jsonl"]:
        return "JSON lines (`spec/feed.md`)"
    if "application/json" not in content:
        return " or ".join(f"`{kind}`" for kind in content)
    name = content["application/json"]["schema"]["$ref"].rpartition("/")[2]
    return f"`{name}`" if said == "Successful Response" else f"`{name}` ({said[0].lower()}{said[1:]})"
