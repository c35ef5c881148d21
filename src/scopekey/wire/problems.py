"""A problem as the bytes of its document (RFC 9457).

What the problems are stands in ``core/problem``; which headers go with one is its sender's affair.
"""

import msgspec

from scopekey.core.problem import Problem, document

CONTENT_TYPE = "application/problem+json"

_ENCODER = msgspec.json.Encoder()


def problem_document(
    problem: Problem, *, detail: str, request_id: str, status: int | None = None, **fields: object
) -> bytes:
    """Write a problem document as UTF-8 JSON; further members follow the common ones.

    `status` replaces the problem's own. Members that are None are left out; nothing secret may be among them.
    """
    members = document(problem, detail=detail, request_id=request_id, status=status)
    members.update((name, value) for name, value in fields.items() if value is not None)
    try:
        return _ENCODER.encode(members)
    except UnicodeEncodeError:
        # A lone surrogate has no UTF-8: what a hostile caller sent must not turn a refusal into a fault.
        return _ENCODER.encode(_mended(members))


def _mended(value: object) -> object:
    """The same value with every lone surrogate replaced by a question mark."""
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode()
    if isinstance(value, dict):
        return {_mended(name): _mended(member) for name, member in value.items()}
    if isinstance(value, list | tuple):
        return [_mended(member) for member in value]
    return value
