"""Refusals of the platform itself, as problem documents (RFC 9457).

Refusals about keys are not here: those are Scopekey's and are given before a route is reached.
"""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException

MEDIA_TYPE = "application/problem+json"
SHOWN_ERRORS = 20


class FieldError(BaseModel):
    """One field of a request that cannot be used, and why."""

    field: str = Field(examples=["body.columns.0.type"])
    message: str = Field(examples=["Input should be 'string', 'integer' or 'date'"])


class Problem(BaseModel):
    """Why a request was not carried out."""

    type: str = Field(examples=["urn:data-platform:problem:not_found"])
    title: str = Field(examples=["Not Found"])
    status: int = Field(examples=[404])
    code: str = Field(examples=["not_found"])
    detail: str = Field(examples=["There is no dataset 42."])
    errors: list[FieldError] | None = None


class Refused(HTTPException):
    """A request the platform will not carry out: what happened and what to do, in words for the caller."""

    def __init__(self, status: int, code: str, detail: str, *, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(status, detail, headers)
        self.code = code


def not_found(thing: str, number: int) -> Refused:
    """404: `thing` has no member of this number."""
    return Refused(HTTPStatus.NOT_FOUND, "not_found", f"There is no {thing} {number}.")


def problem_response(
    status: int,
    code: str,
    detail: str,
    *,
    errors: list[FieldError] | None = None,
    headers: Mapping[str, str] | None = None,
) -> JSONResponse:
    """The answer that carries one problem."""
    title = HTTPStatus(status).phrase
    kind = f"urn:data-platform:problem:{code}"
    document = Problem(type=kind, title=title, status=status, code=code, detail=detail, errors=errors)
    return JSONResponse(document.model_dump(exclude_none=True), status, headers, media_type=MEDIA_TYPE)


def refusals(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The refusals an operation documents; 413 and 422 belong to every one of them."""
    schema = Problem.model_json_schema(ref_template="#/components/schemas/{model}")
    schema.pop("$defs", None)
    schema["properties"]["errors"] = {"type": "array", "items": FieldError.model_json_schema()}
    content = {MEDIA_TYPE: {"schema": schema}}
    every = {*statuses, HTTPStatus.REQUEST_ENTITY_TOO_LARGE, HTTPStatus.UNPROCESSABLE_ENTITY}
    return {int(status): {"description": HTTPStatus(status).phrase, "content": content} for status in sorted(every)}


def answer_problems(app: FastAPI) -> None:
    """Have `app` answer every refusal, its own and the framework's, with a problem document."""
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _refused)
    app.add_exception_handler(Exception, _fault)


async def _invalid(_: Request, invalid: Exception) -> JSONResponse:
    assert isinstance(invalid, RequestValidationError)  # noqa: S101 (registered for this class alone)
    # The value itself is not repeated: it may be megabytes, or not text at all.
    errors = [
        FieldError(field=_printable(".".join(map(str, error["loc"]))), message=_words(error["msg"]))
        for error in invalid.errors()[:SHOWN_ERRORS]
    ]
    detail = f"{errors[0].field}: {errors[0].message}." if errors else "The request cannot be read."
    return problem_response(HTTPStatus.UNPROCESSABLE_ENTITY, "invalid_request", detail, errors=errors)


async def _refused(_: Request, raised: Exception) -> JSONResponse:
    assert isinstance(raised, HTTPException)  # noqa: S101 (registered for this class alone)
    phrase = HTTPStatus(raised.status_code).phrase.lower()
    code = raised.code if isinstance(raised, Refused) else phrase.replace(" ", "_")
    return problem_response(raised.status_code, code, str(raised.detail), headers=raised.headers)


async def _fault(_: Request, __: Exception) -> JSONResponse:
    return problem_response(HTTPStatus.INTERNAL_SERVER_ERROR, "internal_error", "The platform failed; try again.")


def _words(message: str) -> str:
    return _printable(message.removeprefix("Value error, ")).rstrip(".")


def _printable(text: str) -> str:
    """`text` as it can be sent: field names come from the caller and may hold what UTF-8 cannot carry."""
    return text.encode("utf-8", "backslashreplace").decode()[:200]
