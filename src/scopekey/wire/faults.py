"""What is wrong with something that was sent, in words that repeat nothing of it."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from scopekey.core.catalog import UnknownPermissionError
from scopekey.core.problem import ProblemError

_ODD = re.compile(r"[^A-Za-z0-9_.,:\[\] -]")
_LONGEST = 200
_PLACES = frozenset({"body", "query", "path"})


def first_fault(errors: Sequence[Mapping[str, Any]]) -> tuple[str, str]:
    """The field and the sentence for the first of pydantic's errors."""
    first = errors[0]
    where = [str(part) for part in first["loc"] if part not in _PLACES or len(first["loc"]) == 1]
    # Field names can come from the caller: nothing of them but plain characters is told back.
    field = _ODD.sub("?", ".".join(where))[:_LONGEST]
    said = _printable(str(first["msg"]).removeprefix("Value error, "))
    return field, f"`{field}`: {said}. Mend it, and send the request again."


def unknown_permission(error: UnknownPermissionError) -> ProblemError:
    """The problem for a permission that the catalog does not have, with the nearest one that it has."""
    hint = f" Did you mean {error.nearest}?" if error.nearest else ""
    return ProblemError(
        "unknown_permission",
        f"There is no permission {error.name!r} in the catalog.{hint} GET /v1/permissions lists them.",
        permission=error.name,
        nearest=error.nearest,
    )


def _printable(text: str) -> str:
    return "".join(character if character.isprintable() else "?" for character in text)[:_LONGEST]
