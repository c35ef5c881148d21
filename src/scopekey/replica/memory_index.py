"""The small dictionary with the contract of an index: for tests of programs that use Scopekey, and ours."""

import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager

from scopekey.core.change import Change, State
from scopekey.core.grant import Register
from scopekey.core.ids import KeyId, OrganizationId
from scopekey.core.key import Key
from scopekey.core.organization import Organization
from scopekey.core.rules import Rules
from scopekey.replica.freshness import Level
from scopekey.replica.index import NotNextError, Now, Place


class MemoryIndex:
    """An index in one process's memory."""

    def __init__(self) -> None:
        self._states: dict[str, State] = {}
        self._place: Place | None = None
        self._pending: dict[bytes, int] = {}
        self._now = Now(0, 0, 0)
        self._level = Level(0, 0)
        self._lock = threading.Lock()

    def now(self) -> Now:
        """The present generation, epoch and position."""
        return self._now

    def key(self, key_id: KeyId) -> Key | None:
        """Find a key."""
        found = self._states.get(key_id)
        return found if isinstance(found, Key) else None

    def organization(self, organization_id: OrganizationId) -> Organization | None:
        """Find an organization."""
        found = self._states.get(organization_id)
        return found if isinstance(found, Organization) else None

    def register(self) -> Register | None:
        """The applied catalog with its bits, or None before the first."""
        found = self._states.get("catalog")
        return found if isinstance(found, Register) else None

    def rules(self) -> Rules | None:
        """The applied rules, or None before the first."""
        found = self._states.get("rules")
        return found if isinstance(found, Rules) else None

    def place(self) -> Place | None:
        """Where the index is, or None while it is empty."""
        return self._place

    @contextmanager
    def writing(self) -> Iterator["MemoryWriter"]:
        """Take the write lock; what the writer did is seen at the end, or undone by an exception."""
        with self._lock:
            writer = MemoryWriter(dict(self._states), self._place, self._now)
            yield writer
            self._states, self._place, self._now = writer.states, writer.reached, writer.now
            for token in writer.settled:
                self._pending.pop(token, None)

    def leveled(self, level: Level) -> None:
        """Say that the replica held everything that was known at this moment where its changes come from."""
        self._level = level

    def level(self) -> Level:
        """When the replica was last known to be level; zeros where it never was."""
        return self._level

    def pend(self, token: bytes, now: int) -> None:
        """Announce that a commit is about to be made elsewhere which this index has not seen yet."""
        with self._lock:
            self._pending[token] = now

    def pending_since(self) -> int | None:
        """The time of the oldest pending mark, in milliseconds, or None."""
        return min(self._pending.values(), default=None)

    def behind_since(self) -> int | None:
        """Since when the index is known to be behind: for `Freshness`."""
        return self.pending_since()


class MemoryWriter:
    """Writes into a copy, which takes the place of the original when it is done."""

    def __init__(self, states: dict[str, State], place: Place | None, now: Now) -> None:
        self.states: dict[str, State] = states
        self.reached = place
        self.now: Now = now
        self.settled: list[bytes] = []

    def place(self) -> Place | None:
        """Where the index is, or None while it is empty."""
        return self.reached

    def apply(self, changes: Sequence[Change]) -> None:
        """Apply changes in order. Raises NotNextError, having changed nothing, if they do not follow."""
        place = self.reached
        if place is None:
            raise NotNextError("the index is empty: it must be loaded before changes can follow")
        for at, change in enumerate(changes, start=place.position + 1):
            if change.position != at:
                raise NotNextError(f"the change at {change.position} does not follow: the next one is {at}")
        if changes:
            self._put(changes)
            self.reached = Place(place.feed_id, changes[-1].position, changes[-1].mark)
            epoch = self.now.epoch + any(not isinstance(change.state, Key) for change in changes)
            self.now = Now(self.now.generation, epoch, self.reached.position)

    def load(self, place: Place, changes: Iterable[Change]) -> None:
        """Replace everything by a snapshot."""
        self.states = {}
        self._put(changes)
        self.reached = place
        self.now = Now(self.now.generation + 1, self.now.epoch + 1, place.position)

    def orphaned(self) -> bool:
        """Tell whether a process that announced a commit has ended: nobody else knows this index."""
        return False

    def settle(self, token: bytes) -> None:
        """Remove a pending mark."""
        self.settled.append(token)

    def _put(self, changes: Iterable[Change]) -> None:
        for change in changes:
            state = change.state
            self.states[_name(state)] = state


def _name(state: State) -> str:
    if isinstance(state, Key | Organization):
        return state.id
    return "catalog" if isinstance(state, Register) else "rules"
