"""What a verifier needs of its local copy: the index, as a contract.

Two keep it: ``lmdb_index`` (a file shared by all processes of a machine) and the small dictionary of
``scopekey.testing``. One contract suite runs on both.
"""

from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager
from typing import NamedTuple, Protocol

from scopekey.core.change import Change
from scopekey.core.grant import Register
from scopekey.core.ids import KeyId, OrganizationId
from scopekey.core.key import Key
from scopekey.core.organization import Organization
from scopekey.core.rules import Rules
from scopekey.replica.freshness import Level


class Place(NamedTuple):
    """Where in which history a replica is: the feed, the position, and the mark of that position."""

    feed_id: str
    position: int
    mark: bytes


class Now(NamedTuple):
    """The three numbers every check compares before it reads.

    `generation` is raised when the files were rebuilt, `epoch` when an organization, the catalog or
    the rules changed, `position` is at most that of the read view that follows. What was kept from an
    earlier generation or epoch must be read again.
    """

    generation: int
    epoch: int
    position: int


class NotNextError(Exception):
    """These changes do not follow the replica's place: a gap, a repetition or another history."""


class IndexWriter(Protocol):
    """The one writer of an index, while it holds the write lock. All it does is seen at once, or not at all."""

    def place(self) -> Place | None:
        """Where the index is, or None while it is empty."""

    def apply(self, changes: Sequence[Change]) -> None:
        """Apply changes in order. Raises NotNextError, having changed nothing, if they do not follow."""

    def load(self, place: Place, changes: Iterable[Change]) -> None:
        """Replace everything by a snapshot, each thing once, keys in the order of their ids.

        Readers go on with the old copy until the new one is whole. It belongs to the writer because
        the snapshot must be read while nobody else applies: a change that another process applied to
        the old copy in between would be lost. So the write lock is one for all generations.
        """

    def orphaned(self) -> bool:
        """Tell whether a process that announced a commit has ended: only the store knows what became of it."""

    def settle(self, token: bytes) -> None:
        """Remove a pending mark."""


class Index(Protocol):
    """A local copy of keys, organizations, catalog and rules.

    Every read gives what `now` spoke of when it began, or what came after: a change whose call has returned
    is missing in none.
    """

    def now(self) -> Now:
        """The present generation, epoch and position; cheap enough for every check.

        As long as they are the same the very same object is given.
        """

    def key(self, key_id: KeyId) -> Key | None:
        """Find a key."""

    def organization(self, organization_id: OrganizationId) -> Organization | None:
        """Find an organization."""

    def register(self) -> Register | None:
        """The applied catalog with its bits, or None before the first."""

    def rules(self) -> Rules | None:
        """The applied rules, or None before the first."""

    def place(self) -> Place | None:
        """Where the index is, or None while it is empty."""

    def writing(self) -> AbstractContextManager[IndexWriter]:
        """Take the write lock; what the writer did is committed at the end, or undone by an exception.

        Whoever takes it brings the index level: marks of processes that had ended before are taken back
        when it ends well.
        """

    def leveled(self, level: Level) -> None:
        """Say that the replica held everything that was known at this moment where its changes come from."""

    def level(self) -> Level:
        """When the replica was last known to be level; zeros where it never was."""

    def pend(self, token: bytes, now: int) -> None:
        """Announce that a commit is about to be made elsewhere which this index has not seen yet."""

    def pending_since(self) -> int | None:
        """The time of the oldest pending mark, in milliseconds, or None."""

    def behind_since(self) -> int | None:
        """Since when the index is known to be behind, in milliseconds, or None while it is level."""
