"""The law of every case and front, and what became of a case under it."""

import json
import re
from collections.abc import Collection, Iterator, Sequence
from enum import StrEnum
from typing import Any

import msgspec

from tests.attacks.cases import FILE, Case
from tests.attacks.wire import Answers

OPERATIONS = frozenset(rule["operation"] for rule in FILE["rules"])
LAST, AFTERWARDS = "GET /sentinel", "afterwards"
_METHOD = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]*")
# RFC 9112 section 6.1 (a transfer coding it does not know), RFC 9110 section 15.6.6 (a version it does not speak):
# what the server itself answers, before anything was asked.
OF_THE_SERVER = frozenset({501, 505})


class Outcome(StrEnum):
    """What became of a case."""

    REFUSED = "refused"
    SERVED = "served"
    ENDED = "ended"


class Seen(msgspec.Struct, frozen=True):
    """One case on one front: the answers, and what the front's processes wrote while it ran."""

    case: Case
    answers: Answers
    lines: tuple[dict[str, Any], ...]
    afterwards: Answers

    @property
    def asked(self) -> list[dict[str, Any]]:
        """The records of the case itself."""
        return [line for line in self.lines if line["kind"] == "asked" and not _ours(line)]

    @property
    def served(self) -> list[dict[str, Any]]:
        """What was served of the case itself."""
        return [line for line in self.lines if line["kind"] == "served" and not _ours(line)]

    @property
    def outcome(self) -> Outcome:
        """Served as decided, refused by the check, or ended by the server or proxy before or after it asked."""
        if self.answers.waited and not self.answers.statuses:
            # Whether it is still served once the caller has gone is a matter of moments.
            return Outcome.ENDED
        if self.served:
            return Outcome.SERVED
        return Outcome.REFUSED if any(not line["allowed"] for line in self.asked) else Outcome.ENDED


def _ours(line: dict[str, Any]) -> bool:
    return line["operation"] == LAST or line["value"] == AFTERWARDS


def breaches(
    seen: Seen, secrets: Sequence[str], addresses: Collection[str | None] = (), *, answers: int = 200
) -> list[str]:
    """Every way in which a case broke the law.

    `addresses` are those that callers may be recorded with, if it matters; `answers` is what an ordinary
    request gets from the front.
    """
    usable = answers in seen.afterwards.statuses
    return [
        *_statuses(seen),
        *_decided(seen.lines),
        *_records(seen, addresses),
        *_secrets(seen, secrets),
        *([] if usable else [f"afterwards it answers {seen.afterwards.data[:200]!r}"]),
    ]


def _statuses(seen: Seen) -> Iterator[str]:
    for status in seen.answers.statuses:
        if status >= 500 and (status not in OF_THE_SERVER or seen.asked):
            yield f"it was answered with {status}"


def _decided(lines: Sequence[dict[str, Any]]) -> Iterator[str]:
    """What was served is what was decided and allowed, for the same caller, each request by itself."""
    allowed: list[dict[str, Any]] = []
    through: dict[str | None, dict[str, Any]] = {}
    for line in lines:
        if line["kind"] == "asked":
            if line["allowed"]:
                allowed.append(line)
            continue
        record = _record_of(line, allowed) if line["kind"] == "reached" else through.pop(line["id"], None)
        if record is None:
            yield f"{line} without an allowed record"
        elif line["kind"] == "reached":
            allowed.remove(record)
            through[line["id"]] = record
        if record is not None and not _fits(line, record):
            yield f"{line}, where it was decided {record}"


def _fits(line: dict[str, Any], record: dict[str, Any]) -> bool:
    """Whether a request that got through, or was served, is the one of the record."""
    return all(line[name] == record[name] for name in ("operation", "value", "key") if name in line)


def _record_of(line: dict[str, Any], allowed: Sequence[dict[str, Any]]) -> dict[str, Any] | None:
    """The record that a request got through with: one that is not used up, and that its adapter or proxy names."""
    return next((record for record in allowed if record["id"] == line["id"]), None)


def _records(seen: Seen, addresses: Collection[str | None]) -> Iterator[str]:
    """One record for each request, in the words of the rules."""
    if len(seen.asked) > seen.case.requests:
        yield f"{len(seen.asked)} records of {seen.case.requests} requests"
    ids = [line["id"] for line in seen.lines if line["kind"] == "asked"]
    for name in seen.answers.request_ids:
        # A door that is asked by somebody who may not decides nothing.
        if ids.count(name) != 1 and b"untrusted_proxy" not in seen.answers.data:
            yield f"the answer {name} has {ids.count(name)} records"
    for line in seen.asked:
        if line["operation"] not in OPERATIONS and not _METHOD.fullmatch(line["operation"]):
            yield f"the record's operation is {line['operation']!r}"
        # What is refused unread may have no address.
        if addresses and line["address"] not in addresses and (line["allowed"] or line["address"] is not None):
            yield f"the record's address is {line['address']!r}"


def _secrets(seen: Seen, secrets: Sequence[str]) -> Iterator[str]:
    told = {"an answer": seen.answers.data.decode("latin-1"), "a record": json.dumps(seen.asked)}
    for place, text in told.items():
        if any(secret in text for secret in secrets):
            yield f"there is a secret in {place}"
