"""The doors of the data plane as the description tells them; `enforce.doors` answers them in front of this API.

The routes are here so that the OpenAPI document, its rules and its examples have them. Nothing reaches them.
"""

from typing import Annotated

from fastapi import APIRouter, Query
from fastapi.responses import StreamingResponse

from scopekey.core.problem import PROBLEMS, ProblemError
from scopekey.enforce.fastapi import requires
from scopekey.server.api.context import refusals
from scopekey.wire.feed import CONTENT_TYPE
from scopekey.wire.resources import Verify, VerifyAnswer

router: APIRouter = APIRouter(prefix="/v1")


class _Lines(StreamingResponse):
    media_type = CONTENT_TYPE


@router.post(
    "/verify",
    tags=["Verification"],
    dependencies=[requires("scopekey_verifications:write")],
    responses=refusals("unknown_permission"),
)
async def verify(body: Verify) -> VerifyAnswer:  # noqa: ARG001 - described, not read here
    """Tell whether a key may do something: 200 for every well-formed question, whatever the answer is."""
    raise _misplaced()


@router.get(
    "/changes",
    tags=["Feed"],
    dependencies=[requires("scopekey_changes:read")],
    responses=refusals("snapshot_needed"),
    response_class=_Lines,
)
async def changes(
    after: Annotated[int, Query(description="The position to follow from", ge=0, examples=[12])],  # noqa: ARG001
    mark: Annotated[  # noqa: ARG001 - described, not read here
        str, Query(description="The mark of that position", pattern=r"^(?:[0-9a-f]{32})?$")
    ],
    feed: Annotated[str | None, Query(description="The feed that the position belongs to")] = None,  # noqa: ARG001
) -> None:
    """Follow what changes, one JSON line for each change, held open with a heartbeat each second."""
    raise _misplaced()


@router.get(
    "/snapshot",
    tags=["Feed"],
    dependencies=[requires("scopekey_changes:read")],
    responses=refusals(),
    response_class=_Lines,
)
async def snapshot() -> None:
    """Everything a verifier needs, as of one position."""
    raise _misplaced()


def _misplaced() -> ProblemError:
    return ProblemError("unavailable", PROBLEMS["unavailable"].detail)
