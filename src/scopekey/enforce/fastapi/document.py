"""Shows what each operation needs in the application's own OpenAPI document."""

from collections.abc import Mapping
from typing import Any

from fastapi import FastAPI

from scopekey.core.rules import Rule
from scopekey.wire.openapi_annotate import annotate_table


def document(app: FastAPI, rules: Mapping[tuple[str, str], Rule]) -> None:
    """Make `app.openapi()` tell the permissions of each operation; rules by path format and method."""
    plain = app.openapi

    def openapi() -> dict[str, Any]:
        described = plain()
        annotate_table(described, rules)
        return described

    # FastAPI's documented way to extend its document is to put another function in this place.
    app.openapi = openapi  # type: ignore[method-assign]
