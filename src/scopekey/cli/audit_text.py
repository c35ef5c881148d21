"""An entry of the log on one line, for people and for pipes."""

import json
from collections.abc import Mapping
from typing import Any

from scopekey.wire.audit import LoggedEntry

HEADINGS = ("index", "time", "who", "what", "decision", "missing")


def fields_of(logged: LoggedEntry) -> tuple[str, ...]:
    """What a line says of an entry, by the headings. Nothing in it can move the cursor or begin a line."""
    entry = logged.entry
    told = (
        str(logged.index),
        logged.at.strftime("%Y-%m-%d %H:%M:%S.") + f"{logged.at.microsecond // 1000:03}Z",
        _who(entry),
        _what(entry),
        _decision(entry),
        ", ".join(entry.get("missing", ())),
    )
    return tuple(visible(field) for field in told)


def json_of(logged: LoggedEntry) -> str:
    """One line of JSON, in ASCII: the entry with its place and its hash."""
    return json.dumps(logged.model_dump(mode="json", exclude={"body"}))


def visible(text: str) -> str:
    r"""Show what has no glyph, moves the cursor, or turns the direction of text as an escape: `\x1b`, `\u202e`."""
    return "".join(
        character if character.isprintable() else character.encode("unicode_escape").decode() for character in text
    )


def _who(entry: Mapping[str, Any]) -> str:
    actor = entry.get("actor")
    if actor is not None:
        return str(actor["id"]) if actor["kind"] == "key" else f"{actor['kind']} {actor['id']}"
    return str(entry.get("address", ""))


def _what(entry: Mapping[str, Any]) -> str:
    done = entry.get("action") or entry.get("operation") or ""
    about = entry.get("object")
    told = f"{done} ({about})" if done and about else done or about or entry["kind"]
    return f"{told} × {entry['count']}" if "count" in entry else str(told)


def _decision(entry: Mapping[str, Any]) -> str:
    if "allowed" not in entry:
        return ""
    if entry["allowed"]:
        return "allowed"
    how = "reported" if entry.get("report") else "refused"
    return f"{how}: {entry['code']}" if "code" in entry else how
