"""Decisions handed up by verifiers elsewhere. The batch is read by its own format, spec/journal.md."""

from typing import Any

import msgspec
from fastapi import APIRouter, Request
from fastapi.concurrency import run_in_threadpool

from scopekey.authority.take_decisions import NEEDS, take_decisions
from scopekey.enforce.fastapi import requires
from scopekey.server.api.context import Authorized, Calling, refusals
from scopekey.wire.decisions import JournalBatch
from scopekey.wire.resources import JournalAnswer

EXAMPLE: dict[str, Any] = {
    "format": 1,
    "node": "00112233445566aa",
    "file": "ffeeddccbbaa9988",
    "offset": 0,
    "lost": 0,
    "durable": False,
    "operations": [["GET /datasets/{dataset_id}", [["datasets:read"]], [["read", "Core Data"]], False]],
    "grants": [["datasets:read", "queries:read"]],
    "decisions": [
        [
            *(1_800_000_000_000, 0, "key_0123456789AB", "org_abcdefABCDEF", 1, 0, 0, None, "42"),
            *("203.0.113.9", "req_4f1d0c2b9a8e7f6d5c4b", 41_207, 120, False),
        ]
    ],
    "refusals": [[1_799_999_940_000, "unknown_key", "192.0.2.0/24", 17]],
}


def _described() -> dict[str, Any]:
    """The schema of a batch in one piece: what it is made of is of no use by itself."""
    (reference,), parts = msgspec.json.schema_components((JournalBatch,), ref_template="{name}")
    schema: dict[str, Any] = _whole(parts[reference["$ref"]], parts)
    return {**schema, "examples": [EXAMPLE]}


def _whole(schema: Any, parts: dict[str, Any]) -> Any:
    if isinstance(schema, list):
        return [_whole(item, parts) for item in schema]
    if not isinstance(schema, dict):
        return schema
    if "$ref" in schema:
        return _whole(parts[schema["$ref"]], parts)
    whole = {name: _whole(value, parts) for name, value in schema.items()}
    # A row that is too long is refused, which the generated schema does not say.
    return {**whole, "items": False} if "prefixItems" in whole else whole


router: APIRouter = APIRouter(prefix="/v1", tags=["Verifiers"])


@router.post(
    "/journal",
    dependencies=[requires(NEEDS)],
    responses=refusals("conflict"),
    openapi_extra={"requestBody": {"required": True, "content": {"application/json": {"schema": _described()}}}},
)
async def post_journal(request: Request, authority: Authorized, caller: Calling) -> JournalAnswer:
    """Hand in decisions, each exactly once: send a batch again until it is answered. For verifiers."""
    body = await request.body()
    return JournalAnswer(next=await run_in_threadpool(take_decisions, authority, caller, body))
