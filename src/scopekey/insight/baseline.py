"""The baseline: findings that were looked at and accepted, as a file to keep beside the rules.

A finding is known by its fingerprint; the rest of the file is for people and is not read.
"""

import re
from collections.abc import Iterable

import msgspec

from scopekey.insight.finding import Finding

_FINGERPRINT = re.compile(r"[0-9a-f]{16}")


class BaselineError(ValueError):
    """The text is not a baseline; says why."""


class _Accepted(msgspec.Struct):
    fingerprint: str
    code: str = ""
    operations: tuple[str, ...] = ()
    message: str = ""


class _Baseline(msgspec.Struct):
    accepted: tuple[_Accepted, ...]
    version: int = 1


def read_baseline(text: str) -> frozenset[str]:
    """Read the accepted fingerprints. Raises BaselineError."""
    try:
        baseline = msgspec.json.decode(text.encode(), type=_Baseline)
    except (msgspec.DecodeError, UnicodeEncodeError, RecursionError) as error:
        raise BaselineError(f"this is not a baseline that --write-baseline wrote: {error}; write it anew") from error
    if baseline.version != 1:
        raise BaselineError(f"this is a baseline of version {baseline.version}; this program reads version 1")
    for accepted in baseline.accepted:
        if not _FINGERPRINT.fullmatch(accepted.fingerprint):
            raise BaselineError(f"{accepted.fingerprint!r} is not a fingerprint; write the baseline anew")
    return frozenset(accepted.fingerprint for accepted in baseline.accepted)


def write_baseline(findings: Iterable[Finding]) -> str:
    """Write a baseline that accepts these findings; the same findings give the same text."""
    accepted = {
        finding.fingerprint: _Accepted(finding.fingerprint, finding.code, finding.operations, finding.message)
        for finding in findings
    }
    ordered = sorted(accepted.values(), key=lambda one: (one.code, one.operations, one.fingerprint))
    return msgspec.json.format(msgspec.json.encode(_Baseline(tuple(ordered))), indent=2).decode() + "\n"
