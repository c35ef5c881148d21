"""The audit log: searched, proved, and given away whole."""

from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query, Request, Response
from fastapi.responses import PlainTextResponse, StreamingResponse
from msgspec.structs import replace

from scopekey.authority.audit_entry import show_entry
from scopekey.authority.audit_export import export_log
from scopekey.authority.audit_search import READ, LogQuery, search_log
from scopekey.authority.audit_tree import show_checkpoint, show_public_key, show_tile
from scopekey.client.log_folder import LogFolder
from scopekey.enforce.fastapi import requires
from scopekey.server.api.context import Authorized, Calling, node_of, refusals
from scopekey.wire.audit import (
    MEDIA_TYPES,
    EntryKind,
    EntryPage,
    ExportFormat,
    Index,
    OperationText,
    Order,
    ProvenEntry,
    Word,
)
from scopekey.wire.resources import KeyIdText, Moment, OrganizationIdText, PermissionName

router: APIRouter = APIRouter(prefix="/v1/audit", tags=["Audit log"])
_reads = requires(READ)
FOREVER = "private, max-age=31536000, immutable"
"""A tile is never given with other bytes. It is for its caller alone: whoever asks must hold the permission."""


def filter_of(
    organization: Annotated[OrganizationIdText | None, Query(description="Of one organization (operator only)")] = None,
    key: Annotated[KeyIdText | None, Query(description="About this key")] = None,
    permission: Annotated[
        PermissionName | None, Query(description="Where this permission was required, used or missing")
    ] = None,
    category: Annotated[
        Word | None,
        Query(
            description="What was intended: an access level, a resource group, or both", examples=["write Core Data"]
        ),
    ] = None,
    decision: Annotated[Word | None, Query(description="allowed, refused, reported, or the code of a refusal")] = None,
    kind: EntryKind | None = None,
    action: Annotated[Word | None, Query(description="Of a change", examples=["key.revoke"])] = None,
    operation: Annotated[OperationText | None, Query(examples=["GET /datasets/{dataset_id}"])] = None,
    request_id: Word | None = None,
    actor: Annotated[Word | None, Query(description="The id of who acted")] = None,
    since: Annotated[Moment | None, Query(description="The first moment that counts")] = None,
    until: Annotated[Moment | None, Query(description="The first moment that no longer counts")] = None,
) -> LogQuery:
    """Which entries to look for."""
    return LogQuery(
        organization=organization,
        key=key,
        permission=permission,
        category=category,
        decision=decision,
        kind=kind,
        action=action,
        operation=operation,
        request_id=request_id,
        actor=actor,
        since=since,
        until=until,
    )


Filtered = Annotated[LogQuery, Depends(filter_of)]


@router.get("/entries", dependencies=[_reads], responses=refusals("not_found"))
def get_entries(
    authority: Authorized,
    caller: Calling,
    wanted: Filtered,
    order: Order = "newest",
    after: Annotated[Index | None, Query(description="Leaves out this entry and all before it")] = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
    cursor: Annotated[str | None, Query(max_length=200, pattern=r"^[A-Za-z0-9_-]+$")] = None,
) -> EntryPage:
    """Search the log. A page looks at 20,000 entries at most: it may be short, or empty, and have a `next`.

    Every organization finds its own entries, the operator all of them.
    """
    return search_log(authority, caller, replace(wanted, order=order, after=after, limit=limit, cursor=cursor))


@router.get("/entries/{index}", dependencies=[requires(READ, object="index")], responses=refusals("not_found"))
def get_entry(authority: Authorized, caller: Calling, index: Annotated[Index, Path()]) -> ProvenEntry:
    """Show an entry, with the proof that it is in the log of the newest checkpoint."""
    return show_entry(authority, caller, index)


@router.get(
    "/export",
    dependencies=[_reads],
    response_class=StreamingResponse,
    responses={
        200: {
            "description": "Entries",
            "content": {media: {"schema": {"type": "string"}} for media in MEDIA_TYPES.values()},
        },
        **refusals("not_found"),
    },
)
def get_export(
    authority: Authorized,
    caller: Calling,
    wanted: Filtered,
    form: Annotated[ExportFormat, Query(alias="format")] = "jsonl",
    after: Annotated[Index | None, Query(description="Leaves out this entry and all before it")] = None,
) -> StreamingResponse:
    """Give all entries that are looked for, the oldest first. CSV is exact: formulas in it are not made harmless."""
    parts = export_log(authority, caller, replace(wanted, after=after), form)
    headers = {"Content-Disposition": f'attachment; filename="audit.{form}"', "Cache-Control": "no-store"}
    return StreamingResponse(parts, media_type=MEDIA_TYPES[form], headers=headers)


@router.get("/checkpoint", dependencies=[_reads], response_class=PlainTextResponse, responses=refusals("not_found"))
def get_checkpoint(authority: Authorized, caller: Calling) -> PlainTextResponse:
    """Give the newest checkpoint: a signed note (C2SP tlog-checkpoint)."""
    return PlainTextResponse(show_checkpoint(authority, caller), headers={"Cache-Control": "no-store"})


@router.get("/key", dependencies=[_reads], response_class=PlainTextResponse, responses=refusals("not_found"))
def get_public_key(request: Request, authority: Authorized, caller: Calling) -> PlainTextResponse:
    """Give the log's public key, as `name+id+key` (C2SP signed-note)."""
    seed = node_of(request).settings.signing_seed()
    return PlainTextResponse(show_public_key(authority, caller, seed) + "\n", headers={"Cache-Control": "no-store"})


@router.get(
    "/tile/{path:path}",
    dependencies=[_reads],
    response_class=Response,
    responses={
        200: {
            "description": "Hashes, or entries with their lengths",
            "content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}},
        },
        **refusals("not_found"),
    },
)
def get_tile(
    request: Request,
    authority: Authorized,
    caller: Calling,
    path: Annotated[str, Path(description="As in C2SP tlog-tiles", examples=["0/x001/x234/067", "entries/000.p/12"])],
) -> Response:
    """Give a hash tile, or to the operator a bundle of entries, of any width up to the present one."""
    folder = node_of(request).settings.audit_archive
    archive = None if folder is None else LogFolder(folder).encoded_bundle
    content = show_tile(authority, caller, path, archive=archive)
    return Response(content, media_type="application/octet-stream", headers={"Cache-Control": FOREVER})
