"""The contract's table of refusals, as requests that are refused for each of its reasons."""

from typing import NamedTuple

from scopekey.core.ids import KeyId
from tests.contract.door_exchange import CLIENT, request

DOCUMENT = frozenset({"type", "title", "status", "detail", "code", "request_id"})
NAMED = DOCUMENT | {"key_id"}
LIVE = NAMED | {"operation", "required", "missing"}

_NO_ERROR = 'Bearer realm="scopekey"'
_REQUEST = f'{_NO_ERROR}, error="invalid_request"'
_TOKEN = f'{_NO_ERROR}, error="invalid_token"'
_SCOPE = f'{_NO_ERROR}, error="insufficient_scope"'


class Refused(NamedTuple):
    """One row: `asks` makes the request, given the keys; `members` are those of the document."""

    code: str
    status: int
    challenge: str | None
    members: frozenset
    name: str
    asks: object


def reader(keys, **options):
    return keys.add("datasets:read", **options)


def _revoked(keys):
    secret = reader(keys)
    keys.revoke(secret)
    return request(secret=secret)


def _expired(keys):
    secret = reader(keys, expires_in=1_000)
    keys.now += 1_000
    return request(secret=secret)


def _wrong_secret(keys):
    printed = keys.verifier.key_format.print("live", keys.key(reader(keys)).id, bytes(32))
    return request(secret=printed)


def _wrong_id(keys):
    return request(secret=keys.verifier.key_format.print("live", KeyId("key_nobodys0keys"), bytes(32)))


def _stale(keys):
    keys.index.pend(b"x", keys.now)
    keys.now += 900_001
    return request(secret=reader(keys))


def _with(*headers):
    """A request with these header fields; `%` in a value stands for a key that may read."""

    def asks(keys):
        secret = reader(keys).encode()
        return request(headers=[(name, value.replace(b"%", secret)) for name, value in headers])

    return asks


_AUTHORIZATION, _API_KEY = b"Authorization", b"X-API-Key"
_UNREADABLE = (
    b"/datasets/../open",
    b"/datasets/%2e%2e/open",
    b"//datasets/7",
    b"/datasets/a%2Fb",
    b"/datasets/a%5Cb",
    b"/datasets/7;a=b",
    b"/datasets/%00",
    b"/datasets/%ff",
    b"/datasets/%2541",
    b"/%64atasets/7",
)

REFUSALS = [
    *(
        Refused("unreadable_target", 400, None, DOCUMENT, target.decode(),
                lambda keys, target=target: request(target=target, secret=reader(keys)))
        for target in _UNREADABLE
    ),
    Refused("no_credential", 401, _NO_ERROR, DOCUMENT, "none", lambda keys: request()),
    Refused("no_credential", 401, _NO_ERROR, DOCUMENT, "another scheme", _with((_AUTHORIZATION, b"Basic dTpw"))),
    Refused("no_credential", 401, _NO_ERROR, DOCUMENT, "empty", _with((_API_KEY, b""))),
    Refused("no_credential", 401, _NO_ERROR, DOCUMENT, "unlisted", lambda keys: request(target=b"/nowhere")),
    Refused("ambiguous_credential", 400, _REQUEST, DOCUMENT, "two fields",
            _with((_AUTHORIZATION, b"Bearer %"), (_API_KEY, b"%"))),
    Refused("ambiguous_credential", 400, _REQUEST, DOCUMENT, "two Authorization lines",
            _with((_AUTHORIZATION, b"Bearer %"), (_AUTHORIZATION, b"Bearer %"))),
    Refused("ambiguous_credential", 400, _REQUEST, DOCUMENT, "two X-API-Key lines",
            _with((_API_KEY, b"%"), (_API_KEY, b"%"))),
    Refused("ambiguous_credential", 400, _REQUEST, DOCUMENT, "joined bearers",
            _with((_AUTHORIZATION, b"Bearer %, Bearer %"))),
    Refused("ambiguous_credential", 400, _REQUEST, DOCUMENT, "joined keys", _with((_API_KEY, b"%,%"))),
    Refused("ambiguous_credential", 400, _REQUEST, DOCUMENT, "joined schemes",
            _with((_AUTHORIZATION, b"Basic dTpw, Bearer %"))),
    Refused("malformed_key", 401, _TOKEN, DOCUMENT, "nonsense", lambda keys: request(secret="nonsense")),
    Refused("malformed_key", 401, _TOKEN, DOCUMENT, "bytes", _with((_AUTHORIZATION, b"Bearer \xff\xfe"))),
    Refused("malformed_key", 401, _TOKEN, DOCUMENT, "mistyped", lambda keys: request(secret="sck_live_" + "0" * 61)),
    Refused("unknown_key", 401, _TOKEN, DOCUMENT, "wrong id", _wrong_id),
    Refused("unknown_key", 401, _TOKEN, DOCUMENT, "wrong secret", _wrong_secret),
    Refused("stale_replica", 503, None, DOCUMENT, "stale", _stale),
    Refused("revoked_key", 401, _TOKEN, NAMED, "revoked", _revoked),
    Refused("expired_key", 401, _TOKEN, NAMED, "expired", _expired),
    Refused("address_not_allowed", 401, _TOKEN, NAMED, "elsewhere",
            lambda keys: request(secret=reader(keys, networks=["198.51.100.0/24"]), client=CLIENT)),
    *(
        Refused("unlisted_operation", 401, _SCOPE, LIVE, f"{method} {target.decode()}",
                lambda keys, method=method, target=target: request(method, target, reader(keys)))
        for method, target in (
            ("GET", b"/nowhere"), ("GET", b"/datasets/7/"), ("GET", b"/DATASETS/7"), ("DELETE", b"/datasets/7"),
            ("OPTIONS", b"/datasets/7"),
        )
    ),
    Refused("missing_permission", 401, f'{_SCOPE}, scope="datasets:write"', LIVE, "one",
            lambda keys: request("POST", b"/datasets", reader(keys))),
    Refused("missing_permission", 401, f'{_SCOPE}, scope="datasets:read datasets:write jobs:write"', LIVE,
            "alternatives", lambda keys: request("POST", b"/runs", reader(keys))),
    Refused("missing_permission", 401, _SCOPE, LIVE, "nobody",
            lambda keys: request(target=b"/nobody", secret=reader(keys))),
    Refused("missing_permission", 401, f'{_SCOPE}, scope="datasets:write"', LIVE, "OPTIONS that is listed",
            lambda keys: request("OPTIONS", b"/listed", reader(keys))),
]  # fmt: skip
