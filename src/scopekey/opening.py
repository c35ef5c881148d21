"""`Scopekey`: what an application opens to check keys against the home folder of its machine."""

import atexit
import importlib.util
import os
import threading
import weakref
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from scopekey.core.decision import Decision
from scopekey.replica.batches import MemoryJournal
from scopekey.replica.freshness import FeedFreshness, Freshness, HomeFreshness
from scopekey.replica.lmdb_index import LmdbIndex
from scopekey.replica.verifier import Verifier
from scopekey.settings import Settings

if TYPE_CHECKING:
    from scopekey.server.node import Node


# Two threads that come first at once must not open twice. One lock for all, so that a fork can wait for it:
# a child must never find half of an opening, or a lock whose owner did not come along.
_opening = threading.RLock()


class Scopekey:
    """Keys of this machine's home folder, for all threads. Opens nothing until it is first used.

    After a fork parent and child each open files and connections of their own, when they need them.
    """

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.missing_permission_status = settings.missing_permission_status
        self._opened: Verifier | None = None
        self._close: Callable[[], None] | None = None

    @classmethod
    def open(cls, home: str | os.PathLike[str] | None = None, **settings: Any) -> Self:
        """Name the home folder; without one it is that of `SCOPEKEY_HOME`, else `./.scopekey`.

        Every other setting can be given by its name too. Where `[server]` is installed, changes are
        caught up with and decisions go into the audit log.
        """
        if home is not None:
            settings["home"] = Path(home)
        return cls(Settings(**settings))

    def check(self, printed: str, *permissions: str, address: str | None = None) -> Decision:
        """Decide whether a printed key holds all these permissions; the decision is falsy when denied.

        `address` is the caller's: without one, a key that is limited to networks is refused. Raises
        UnknownPermissionError for a permission that is not in the catalog.
        """
        event, ticket = self.verifier.ask(printed, permissions, address=address)
        ticket.wait()
        return event.decision

    async def check_async(self, printed: str, *permissions: str, address: str | None = None) -> Decision:
        """The same on an event loop: waits for the record without blocking it."""
        event, ticket = self.verifier.ask(printed, permissions, address=address)
        await ticket
        return event.decision

    @property
    def verifier(self) -> Verifier:
        """The verifier over the replica. Raises FileNotFoundError where there is no home folder."""
        opened = self._opened
        if opened is None:
            with _opening:
                if self._opened is None:
                    self._opened, self._close = self._open()
                    # A program that merely ends hands over its last decisions too.
                    atexit.register(_end, weakref.ref(self))
                opened = self._opened
        return opened

    def close(self) -> None:
        """Hand over what was recorded, and let go of the files."""
        with _opening:
            close, self._opened, self._close = self._close, None, None
        if close is not None:
            close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _open(self) -> tuple[Verifier, Callable[[], None]]:
        self._refuse_nothing()
        node = self._node()
        if node is not None:
            return node.verifier, node.close
        return self._without_store()

    def _refuse_nothing(self) -> None:
        """A folder that is not there is a mistake in the caller's set-up; it is not made here."""
        if self.settings.database_url is None and not self.settings.home.is_dir():
            raise FileNotFoundError(
                f"there is no home folder at {self.settings.home}; make one with `scopekey init`, or set SCOPEKEY_HOME"
            )

    def _node(self) -> "Node | None":
        """The whole node where the store can be reached from here: it brings the replica level."""
        if any(importlib.util.find_spec(package) is None for package in ("sqlalchemy", "alembic")):
            return None
        from scopekey.server.node import Node

        node = Node.open(self.settings)
        node.follow()
        return node

    def _without_store(self) -> tuple[Verifier, Callable[[], None]]:
        """The data plane alone: the replica as other processes of this machine keep it."""
        from scopekey.replica.clock import milliseconds

        index, settings = LmdbIndex(self.settings.replica_path), self.settings
        verifier = Verifier(
            index,
            key_format=settings.key_format,
            peppers=settings.pepper_ring(),
            journal=MemoryJournal(),
            clock=milliseconds,
            freshness=self._freshness(index),
        )
        return verifier, index.close

    def _freshness(self, index: LmdbIndex) -> Freshness:
        """A store that is no file here may be changed from anywhere: the replica is as old as the last look at it."""
        settings = self.settings
        stale, refuse = settings.stale_after, settings.refuse_after
        named, here = settings.database_url, (settings.home / "scopekey.db").exists()
        if settings.store_url.startswith("sqlite") and (named or here):
            return HomeFreshness(index.behind_since, stale_after=stale, refuse_after=refuse)
        return FeedFreshness(index.level, stale_after=stale, refuse_after=refuse, look=index.look)


def _end(opened: "weakref.ref[Scopekey]") -> None:
    keys = opened()
    if keys is not None:
        keys.close()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_opening.acquire, after_in_parent=_opening.release, after_in_child=_opening.release)
