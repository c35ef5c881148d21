"""What a follower says of itself."""

from enum import StrEnum

import msgspec

from scopekey.core.ids import PepperId


class State(StrEnum):
    """What a follower is doing."""

    CONNECTING = "connecting"
    LOADING = "loading"
    FOLLOWING = "following"
    AWAY = "away"
    """The upstream does not answer: tried again and again."""
    REFUSED = "refused"
    """Somebody must do something: the detail says what. Tried again too."""
    STANDBY = "standby"
    """Another process of this machine follows."""


class Status(msgspec.Struct, frozen=True):
    """What a follower does, since when (milliseconds since the epoch), and why where that needs words.

    `peppers` are those that its upstream last said to be in use.
    """

    state: State
    since: int
    detail: str = ""
    peppers: tuple[PepperId, ...] = ()
