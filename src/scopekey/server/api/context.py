"""What every route of the management API needs: the authority, who calls, and how answers are documented."""

from typing import Annotated, Any

from fastapi import Depends, Header, Request, Response

from scopekey.authority.actor import Caller
from scopekey.authority.unit_of_work import Authority
from scopekey.core.decision import DenialReason
from scopekey.core.problem import PROBLEMS, ProblemError
from scopekey.replica.event import Event
from scopekey.replica.index import Place
from scopekey.server.node import Node
from scopekey.wire.feed import ReachedPosition

_DIGITS = 15


def node_of(request: Request) -> Node:
    """The node that this process runs."""
    node: Node = request.app.state.node
    return node


def authority_of(request: Request) -> Authority:
    """The control plane's operations of this node."""
    return node_of(request).authority


def caller_of(request: Request) -> Caller:
    """The key that called, as the middleware found it."""
    event: Event = request.scope["scopekey"]
    key = event.decision.key
    if key is None:
        raise ProblemError("no_credential", PROBLEMS["no_credential"].detail)
    return Caller("key", key.id, event.request_id, event.address)


def version_of(
    if_match: Annotated[str | None, Header(description="The version that was read, as `ETag` gave it")] = None,
) -> int | None:
    """The version in If-Match (RFC 9110 section 13.1.1), None where it is absent or `*`."""
    if if_match is None or if_match.strip() == "*":
        return None
    text = if_match.strip().removeprefix("W/").strip('"')
    if not text.isascii() or not text.isdigit() or len(text) > _DIGITS:
        raise ProblemError("invalid_request", "`If-Match` must be the version, as `ETag` gave it.", field="If-Match")
    return int(text)


def idempotency_of(
    idempotency_key: Annotated[
        str | None,
        Header(min_length=1, max_length=100, pattern=r"^[\x21-\x7e]+$", description="Makes a repeat safe for a day"),
    ] = None,
) -> str | None:
    """The Idempotency-Key header."""
    return idempotency_key


Authorized = Annotated[Authority, Depends(authority_of)]
Calling = Annotated[Caller, Depends(caller_of)]
Version = Annotated[int | None, Depends(version_of)]
Repeat = Annotated[str | None, Depends(idempotency_of)]


def say_position(response: Response, place: Place | None) -> None:
    """Tell at which position the change is known; a repeat that changed nothing tells none."""
    if place is not None:
        response.headers["Scopekey-Position"] = str(ReachedPosition(place.feed_id, place.position))


def say_version(response: Response, version: int) -> None:
    """Tell the version as an ETag, for If-Match."""
    response.headers["ETag"] = f'"{version}"'


PROBLEM_SCHEMA: dict[str, Any] = {
    "type": "object",
    "required": ["type", "title", "status", "detail", "code", "request_id"],
    "properties": {
        "type": {"type": "string", "format": "uri"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "code": {"type": "string", "enum": sorted(PROBLEMS)},
        "request_id": {"type": "string"},
    },
}

USUAL = (
    *(reason for reason in DenialReason if reason is not DenialReason.UNLISTED_OPERATION),
    "invalid_request",
    "too_large",
    "unavailable",
)
"""What every guarded operation can answer with: all that a check refuses with, and what any call can end as."""


def refusals(*codes: str) -> dict[int | str, dict[str, Any]]:
    """Document the problems an operation can answer with, beside those that any guarded one can."""
    by_status: dict[int | str, list[str]] = {}
    for code in dict.fromkeys((*USUAL, *codes)):
        by_status.setdefault(PROBLEMS[code].status, []).append(code)
    return {status: _refusal(found) for status, found in by_status.items()}


def _refusal(codes: list[str]) -> dict[str, Any]:
    examples = {
        code: {
            "value": {
                "type": PROBLEMS[code].type,
                "title": PROBLEMS[code].title,
                "status": PROBLEMS[code].status,
                "detail": PROBLEMS[code].detail,
                "code": code,
                "request_id": "req_4f1d0c2b9a8e7f6d5c4b",
            }
        }
        for code in codes
    }
    return {
        "description": "; ".join(PROBLEMS[code].title for code in codes),
        "content": {
            "application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}, "examples": examples}
        },
    }
