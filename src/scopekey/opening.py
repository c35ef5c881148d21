"""`Scopekey`: what an application opens to check keys. A home folder, a feed to follow, or a store of its own."""

import asyncio
import atexit
import importlib.util
import os
import threading
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, NamedTuple, Self

from pydantic import SecretStr

from scopekey.core.decision import Decision
from scopekey.enforce.keys import Keys
from scopekey.replica.clock import milliseconds
from scopekey.replica.file_journal import FileJournal
from scopekey.replica.freshness import FeedFreshness, Freshness, HomeFreshness
from scopekey.replica.lmdb_index import LmdbIndex
from scopekey.replica.verifier import Verifier
from scopekey.settings import Settings

if TYPE_CHECKING:
    from scopekey.server.management import HomeManagement
    from scopekey.server.node import Node


# Two threads that come first at once must not open twice. One lock for all, so that a fork can wait for it:
# a child must never find half of an opening, or a lock whose owner did not come along.
_opening = threading.RLock()


class Scopekey:
    """Keys, for all threads. Opens nothing until it is first used; an `async with` block opens first.

    After a fork parent and child each open files and connections of their own, when they need them.
    """

    def __init__(self, settings: Settings, opening: "Opening | None" = None) -> None:
        self.settings = settings
        self.missing_permission_status = settings.missing_permission_status
        self._opening = opening or _open_home
        self._opened: Opened | None = None

    @classmethod
    def open(cls, home: str | os.PathLike[str] | None = None, **settings: Any) -> Self:
        """Name the home folder; without one it is that of `SCOPEKEY_HOME`, else `./.scopekey`.

        Every other setting can be given by its name too. Where `[server]` is installed, changes are
        caught up with and decisions go into the audit log; else they wait in the folder for whoever has the store.
        """
        if home is not None:
            settings["home"] = Path(home)
        return cls(Settings(**settings))

    @classmethod
    def connect(
        cls,
        url: str,
        *,
        key: str | os.PathLike[str] | None = None,
        home: str | os.PathLike[str] | None = None,
        **settings: Any,
    ) -> Self:
        """Follow a control plane elsewhere, and answer from a replica here: the same as a gateway, in this process.

        `key` is a printed key that holds `scopekey_changes:read` and `scopekey_journal:write`, or a path to its
        file; without one it is `SCOPEKEY_API_KEY`. `home` is the folder of the replica and the pepper, for all
        processes of the application; one of them follows. Opening raises StartRefusedError where the upstream
        cannot be right, and waits a few seconds for a first replica.
        """
        if home is not None:
            settings["home"] = Path(home)
        if isinstance(key, os.PathLike):
            settings["key_file"] = Path(key)
        given = key if isinstance(key, str) else None
        return cls(Settings(upstream=url, **settings), partial(_connect, given))

    @classmethod
    def embedded(cls, database_url: str, *, home: str | os.PathLike[str] | None = None, **settings: Any) -> Self:
        """Have the control plane's operations in this process too, over a store of your own: no second service.

        `home` holds pepper, signing key and replica, and the store is one that `scopekey init` has begun. What
        can be done stands in `management`. Needs `[server]`.
        """
        if home is not None:
            settings["home"] = Path(home)
        return cls(Settings(database_url=SecretStr(database_url), **settings), _open_node)

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
        return (self._open() if opened is None else opened).verifier

    @property
    def management(self) -> "HomeManagement":
        """Issue, show, edit, rotate and revoke keys as this machine, which may do everything.

        Raises RuntimeError where the store cannot be reached from here: a replica only answers.
        """
        node = (self._opened or self._open()).node
        if node is None:
            raise RuntimeError("keys are managed where their store is: here is only a replica, which answers checks")
        from scopekey.authority.actor import Caller
        from scopekey.server.management import HomeManagement

        return HomeManagement(node, Caller.machine())

    @contextmanager
    def replaced_by(self, keys: Keys) -> Iterator[None]:
        """Answer from other keys until the block ends: for tests of a program that opens its own at import.

        What is open meanwhile stays open, and is used again afterwards.
        """

        def opening(_: Settings) -> Opened:
            return Opened(keys.verifier, lambda: None)

        with _opening:
            before = self._opened, self._opening
            self._opened, self._opening = None, opening
        try:
            yield
        finally:
            with _opening:
                self._opened, self._opening = before

    def close(self) -> None:
        """Hand over what was recorded, and let go of the files."""
        with _opening:
            opened, self._opened = self._opened, None
        if opened is not None:
            opened.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    async def __aenter__(self) -> Self:
        """Open without holding up the event loop."""
        await asyncio.to_thread(self._open)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await asyncio.to_thread(self.close)

    def _open(self) -> "Opened":
        with _opening:
            if self._opened is None:
                self._opened = self._opening(self.settings)
                # A program that merely ends hands over its last decisions too.
                atexit.register(_end, weakref.ref(self))
            return self._opened


class Opened(NamedTuple):
    """What is open: the verifier, how it is closed, and the node where the store can be reached from here."""

    verifier: Verifier
    close: Callable[[], None]
    node: "Node | None" = None


Opening = Callable[[Settings], Opened]


def _open_home(settings: Settings) -> Opened:
    """The home folder of this machine: the whole node where its packages are, else what other processes keep level."""
    if settings.database_url is None and not settings.home.is_dir():
        # A folder that is not there is a mistake in the caller's set-up; it is not made here.
        raise FileNotFoundError(
            f"there is no home folder at {settings.home}; make one with `scopekey init`, or set SCOPEKEY_HOME"
        )
    if any(importlib.util.find_spec(package) is None for package in ("sqlalchemy", "alembic")):
        return _open_replica(settings)
    return _open_node(settings)


def _open_node(settings: Settings) -> Opened:
    """The whole node: it brings the replica level, and hands decisions to the audit log."""
    from scopekey.server.node import Node

    node = Node.open(settings)
    node.follow()
    node.carry()
    return Opened(node.verifier, node.close, node)


def _open_replica(settings: Settings) -> Opened:
    """The data plane alone: the replica as other processes of this machine keep it."""
    index = LmdbIndex(settings.replica_path)
    # Whoever has the store takes over what lies in its folder.
    journal = FileJournal(settings.journal_path, settings.node_id, mode=settings.journal, limit=settings.journal_limit)
    verifier = Verifier(
        index,
        key_format=settings.key_format,
        peppers=settings.pepper_ring(),
        journal=journal,
        clock=milliseconds,
        freshness=_freshness(settings, index),
    )

    def close() -> None:
        journal.close()
        index.close()

    return Opened(verifier, close)


def _freshness(settings: Settings, index: LmdbIndex) -> Freshness:
    """A store that is no file may be changed from other machines: the replica is as old as the last look at it."""
    stale, refuse = settings.stale_after, settings.refuse_after
    named, here = settings.database_url, (settings.home / "scopekey.db").exists()
    if settings.store_url.startswith("sqlite") and (named or here):
        return HomeFreshness(index.behind_since, stale_after=stale, refuse_after=refuse)
    return FeedFreshness(index.level, stale_after=stale, refuse_after=refuse, look=index.look)


def _connect(key: str | None, settings: Settings) -> Opened:
    """A replica that this application keeps level itself."""
    from scopekey.gateway.connected import Connected
    from scopekey.gateway.node import key_of

    connected = Connected(settings, key=key_of(settings) if key is None else lambda: key)
    return Opened(connected.node.verifier, connected.close)


def _end(opened: "weakref.ref[Scopekey]") -> None:
    keys = opened()
    if keys is not None:
        keys.close()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_opening.acquire, after_in_parent=_opening.release, after_in_child=_opening.release)
