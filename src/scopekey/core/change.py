"""A change: the whole present state of one thing, at its position in the feed."""

import msgspec

from scopekey.core.grant import Register
from scopekey.core.key import Key
from scopekey.core.organization import Organization
from scopekey.core.rules import Rules

MARK_SIZE = 16

State = Key | Organization | Register | Rules


class Change(msgspec.Struct, frozen=True):
    """One thing as it is now.

    Positions are dense and in commit order, from 1. `mark` is 16 random bytes that name this very
    change: the same position with another mark is another history.
    """

    position: int
    mark: bytes
    state: State
