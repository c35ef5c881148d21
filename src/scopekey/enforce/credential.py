"""The credential of a request: exactly one, in exactly one header, or none.

Two credentials are two answers to the question who is asking, so they are refused rather than ranked.
"""

from scopekey.enforce.fields import Fields
from scopekey.replica.guard import Absent, Credential

__all__ = ["FIELDS", "Absent", "Credential", "credential"]

FIELDS = frozenset({b"authorization", b"x-api-key"})
"""Where a credential may stand."""
_BEARER = b"bearer"


def credential(fields: Fields) -> Credential:
    """Find the printed key.

    `Authorization: Bearer <key>` (RFC 6750 section 2.1; the scheme in any case, RFC 9110 section 11.1)
    or `X-API-Key: <key>`. Another scheme is no credential of ours. Two keys, two Authorization lines and
    joined ones make the request ambiguous.
    """
    found: bytes | None = None
    if b"authorization" in fields:
        value = fields[b"authorization"]
        if value is None:
            return Absent.AMBIGUOUS
        scheme, _, rest = value.strip().partition(b" ")
        if scheme.lower() == _BEARER:
            found = rest.strip()
        elif b"," in rest and _BEARER in rest.lower():
            return Absent.AMBIGUOUS
    if b"x-api-key" in fields:
        value = fields[b"x-api-key"]
        if value is None or found is not None:
            return Absent.AMBIGUOUS
        found = value.strip()
    if not found:
        return Absent.NONE
    # Latin-1 takes every byte, so that hostile ones end as a malformed key and never as an exception.
    return Absent.AMBIGUOUS if b"," in found else found.decode("latin-1")
