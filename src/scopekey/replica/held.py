"""A key that work is done for later: named, without its secret.

A job, a workflow or a schedule goes on when the call that started it has been answered. It keeps a `Held` and
asks the verifier anew before each thing it does, so that a key that was revoked or narrowed meanwhile stops it.
"""

from typing import Self

import msgspec

from scopekey.core.ids import KeyId
from scopekey.replica.event import Event


class Held(msgspec.Struct, frozen=True):
    """Which key, by which of its secrets, from where. Safe to store: nobody can call with it.

    `secret` is the number of the secret that was presented, `address` the caller's.
    """

    key_id: KeyId
    secret: int
    address: str | None = None

    @classmethod
    def of(cls, event: Event) -> Self:
        """The key behind a call that was let through. Raises ValueError for a call that was made without one."""
        key, secret = event.decision.key, event.decision.secret
        if key is None or secret is None or not event.proceeds:
            raise ValueError("only a call that a key was let through with can have work done for that key")
        return cls(key.id, secret.number, event.address)
