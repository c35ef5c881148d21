"""Says once that a key ends soon."""

import logging
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import httpx
import msgspec

from scopekey.client.secret import Secret

SOON = timedelta(days=7)
_log = logging.getLogger("scopekey.client")


class KeyExpiry(msgspec.Struct, frozen=True):
    """A key that ends soon. `remaining` is negative where it has ended."""

    key_id: str | None
    expires_at: datetime
    remaining: timedelta


Hook = Callable[[KeyExpiry], object]


class ExpiryWatch:
    """Watches `Scopekey-Key-Expires` of answers. What a hook raises does not reach the call."""

    def __init__(self, hook: Hook | None, before: timedelta) -> None:
        self._hook = hook or _warn
        self._before = before
        self._told: set[tuple[str, str]] = set()

    def look(self, headers: httpx.Headers, secret: Secret, now: float) -> None:
        """Look at an answer to a call with this key. `now` is in seconds since the epoch."""
        said = headers.get("scopekey-key-expires")
        if said is None or (secret.shown, said) in self._told:
            return
        try:
            ends = datetime.fromisoformat(said)
            remaining = ends - datetime.fromtimestamp(now, UTC)
        except (ValueError, TypeError):
            return
        if remaining > self._before:
            return
        self._told.add((secret.shown, said))
        try:
            self._hook(KeyExpiry(secret.key_id, ends, remaining))
        except Exception:  # noqa: BLE001 - a warning that cannot be given is not the call's concern
            _log.debug("the hook for keys that end soon has failed")


def _warn(expiry: KeyExpiry) -> None:
    _log.warning("The key %s ends at %s.", expiry.key_id or "in use", expiry.expires_at.isoformat())
