"""Every way in which a request can fail becomes a problem document, in this one place. Nothing sent is echoed."""

import logging
from collections.abc import Awaitable, Callable
from http import HTTPStatus

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException

from scopekey.core.decision import DenialReason
from scopekey.core.problem import PROBLEMS, Problem, ProblemError
from scopekey.replica.event import Event
from scopekey.replica.fault import log_fault
from scopekey.store.errors import DuplicateError, StoreUnavailableError, VersionConflictError
from scopekey.wire.faults import first_fault
from scopekey.wire.problems import CONTENT_TYPE, problem_document

log: logging.Logger = logging.getLogger(__name__)
RETRY_AFTER = "1"
_BY_STATUS = {404: "not_found", 405: "method_not_allowed", 413: "too_large"}
_UNREADABLE = "The body cannot be read. Send JSON in UTF-8."

Handler = Callable[[Request, Exception], Awaitable[Response]]


def handle_errors(app: FastAPI) -> None:
    """Teach an app to answer every exception with a problem document."""
    handlers: dict[type[Exception], Handler] = {
        ProblemError: _problem,
        RequestValidationError: _validation,
        HTTPException: _http,
        VersionConflictError: _version,
        DuplicateError: _duplicate,
        StoreUnavailableError: _unavailable,
        Exception: _unexpected,
    }
    for kind, handler in handlers.items():
        app.add_exception_handler(kind, handler)


async def _problem(request: Request, error: Exception) -> Response:
    assert isinstance(error, ProblemError)  # noqa: S101 - what it is registered for
    return respond(request, error.problem, error.detail, **error.fields)


async def _validation(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)  # noqa: S101 - what it is registered for
    field, detail = first_fault(error.errors())
    return respond(request, PROBLEMS["invalid_request"], detail, field=field)


async def _http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101 - what it is registered for
    problem = PROBLEMS[_BY_STATUS.get(error.status_code, "invalid_request")]
    # A body that is no text at all ends here: the framework's word for it is 400.
    detail = _UNREADABLE if error.status_code == HTTPStatus.BAD_REQUEST else problem.detail
    response = respond(request, problem, detail)
    if error.headers and "allow" in {name.lower() for name in error.headers}:
        response.headers["Allow"] = next(value for name, value in error.headers.items() if name.lower() == "allow")
    return response


async def _version(request: Request, _: Exception) -> Response:
    return respond(request, PROBLEMS["version_conflict"], PROBLEMS["version_conflict"].detail)


async def _duplicate(request: Request, _: Exception) -> Response:
    return respond(request, PROBLEMS["conflict"], "The same request is being answered already. Try again shortly.")


async def _unavailable(request: Request, error: Exception) -> Response:
    log.warning("the store is unavailable: %s", error, extra={"request_id": _request_id(request)})
    return respond(request, PROBLEMS["unavailable"], PROBLEMS["unavailable"].detail)


async def _unexpected(request: Request, error: Exception) -> Response:
    log_fault(log, error, "unexpected fault while answering %s", request.method, request_id=_request_id(request))
    return respond(request, PROBLEMS["unavailable"], PROBLEMS["unavailable"].detail)


def respond(request: Request, problem: Problem, detail: str, **fields: object) -> Response:
    """Answer with a problem document."""
    status = problem.status
    if problem.code == DenialReason.MISSING_PERMISSION:
        # Narrowed between the check and the change: the answer is the one that the check would have given.
        status = request.app.state.node.missing_permission_status
    body = problem_document(problem, detail=detail, request_id=_request_id(request), status=status, **fields)
    headers = {"Cache-Control": "no-store", "Scopekey-Code": problem.code}
    if problem.status == HTTPStatus.SERVICE_UNAVAILABLE:
        headers["Retry-After"] = RETRY_AFTER
    if problem.challenge:
        error = f', error="{problem.error}"' if problem.error else ""
        headers["WWW-Authenticate"] = f'Bearer realm="scopekey"{error}'
    return Response(body, status, headers, CONTENT_TYPE)


def _request_id(request: Request) -> str:
    event: Event | None = request.scope.get("scopekey")
    return event.request_id if event else "none"
