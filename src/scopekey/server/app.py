"""The control-plane process: joins the node, the guard, the routes and the probes. Only joins."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import partial
from http import HTTPStatus
from importlib.metadata import version
from typing import Any

from fastapi import FastAPI
from starlette.types import Receive, Scope, Send

from scopekey.core.problem import PROBLEMS
from scopekey.enforce.doors.data_plane import Doors
from scopekey.enforce.doors.metrics import JournalFolder
from scopekey.enforce.doors.probes import PATHS, Probes
from scopekey.enforce.doors.run import Run
from scopekey.enforce.fastapi import protect
from scopekey.replica.feed_source import FeedSource
from scopekey.server.api import audit, catalog, journal, keys, organizations, verify
from scopekey.server.api.context import PROBLEM_SCHEMA
from scopekey.server.body import BodyLimit
from scopekey.server.errors import handle_errors
from scopekey.server.log_numbers import log_numbers
from scopekey.server.node import Node
from scopekey.settings import Settings

DESCRIPTION = """Issue, show, edit, rotate and revoke scoped API keys, and ask what a key may do.

Every call needs a key of its own: `Authorization: Bearer <key>`. Refusals are problem documents (RFC 9457)
that say what is missing."""


def management_api(node: Node, *, close: bool = True) -> FastAPI:
    """The management API, guarded by our own middleware with rules of its own, read off its routes."""

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        yield
        if close:
            node.close()

    api = FastAPI(
        title="Scopekey",
        version=version("scopekey"),
        description=DESCRIPTION,
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
    )
    api.state.node = node
    for router in (keys.router, organizations.router, catalog.router, verify.router, journal.router, audit.router):
        api.include_router(router)
    handle_errors(api)
    _describe_problems(api, forbidden=int(node.missing_permission_status) == HTTPStatus.FORBIDDEN)
    api.add_middleware(BodyLimit)
    protect(api, node, docs="public", applied=False)
    return api


class ControlPlane:
    """The whole process as one ASGI app: probes and doors answer for themselves, everything else is guarded.

    `drain` ends the streams that are held open.
    """

    def __init__(self, node: Node, *, close: bool = True, run: Run | None = None) -> None:
        self._api = management_api(node, close=close)
        journal = JournalFolder(node.settings.journal_path, node.settings.journal_limit)
        self._probes = Probes(node, journal=journal, log=partial(log_numbers, node.store), run=run)
        source = FeedSource(node.index, lambda: node.peppers_in_use)
        self._doors = Doors(node, source, trusted_proxies=node.settings.trusted_proxies)
        self.drain: Callable[[], None] = self._doors.drain

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        if scope["type"] == "http":
            door = self._doors.at(scope["path"])
            if door is not None:
                await door(scope, receive, send)
                return
            if scope["path"] in PATHS:
                await self._probes(scope, receive, send)
                return
        try:
            await self._api(scope, receive, send)
        except Exception:
            # It was answered and logged without its message; raised on, the server would log it with one.
            if scope["type"] != "http":
                raise


def create_app() -> ControlPlane:
    """What each worker process of `serve` runs: settings from the environment."""
    node = Node.open(Settings())
    node.follow()
    return ControlPlane(node, run=Run.of_this_process(node.journal, node.settings.home))


def _describe_problems(api: FastAPI, *, forbidden: bool) -> None:
    """Put the schema of problem documents where the documented refusals point to, and drop FastAPI's own."""
    plain: Callable[[], dict[str, Any]] = api.openapi

    def described() -> dict[str, Any]:
        document = plain()
        schemas = document.setdefault("components", {}).setdefault("schemas", {})
        schemas["Problem"] = PROBLEM_SCHEMA
        schemas.pop("HTTPValidationError", None)
        schemas.pop("ValidationError", None)
        if forbidden:
            _document_forbidden(document)
        return document

    api.openapi = described  # type: ignore[method-assign]


def _document_forbidden(document: dict[str, Any]) -> None:
    """A setting has missing permissions answered with 403: every operation says so."""
    media = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
    refusal = {"description": PROBLEMS["missing_permission"].title, "content": media}
    for item in document["paths"].values():
        for operation in item.values():
            operation["responses"].setdefault("403", refusal)
