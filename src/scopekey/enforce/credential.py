"""The credential of a request: exactly one, in exactly one header, or none.

Two credentials are two answers to the question who is asking, so they are refused rather than ranked.
"""

from collections.abc import Iterable

from scopekey.replica.guard import Absent, Credential

__all__ = ["Absent", "Credential", "credential"]

_BEARER = b"bearer"


def credential(headers: Iterable[tuple[bytes, bytes]]) -> Credential:
    """Find the printed key in raw header fields, whose names are lower-case.

    `Authorization: Bearer <key>` (RFC 6750 section 2.1; the scheme in any case, RFC 9110 section 11.1)
    or `X-API-Key: <key>`. Another scheme is no credential of ours. Two keys, two Authorization lines and
    joined ones make the request ambiguous.
    """
    found: list[bytes] = []
    authorizations = 0
    for name, value in headers:
        if name == b"authorization":
            authorizations += 1
            scheme, _, rest = value.strip().partition(b" ")
            if scheme.lower() == _BEARER:
                found.append(rest.strip())
            elif b"," in rest and _BEARER in rest.lower():
                return Absent.AMBIGUOUS
        elif name == b"x-api-key":
            found.append(value.strip())
    if authorizations > 1 or len(found) > 1 or (found and b"," in found[0]):
        return Absent.AMBIGUOUS
    if not found or not found[0]:
        return Absent.NONE
    # Latin-1 takes every byte, so that hostile ones end as a malformed key and never as an exception.
    return found[0].decode("latin-1")
