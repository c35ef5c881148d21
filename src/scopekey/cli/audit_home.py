"""The audit log of the home folder. What arrived is sealed before it is read: no server need be running."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from scopekey.audit.source import LogSource
from scopekey.authority.actor import Caller
from scopekey.authority.audit_entry import show_entry
from scopekey.authority.audit_export import export_log
from scopekey.authority.audit_search import READ, LogQuery, search_log
from scopekey.authority.audit_tree import show_checkpoint, show_public_key, show_tile
from scopekey.client.log_folder import LogFolder
from scopekey.server.node import Node
from scopekey.store.store_log import StoreLog
from scopekey.wire.audit import EntryPage, ExportFormat, ProvenEntry


class HomeAudit:
    """Reads the log of a home folder, as the machine or as a key."""

    def __init__(self, node: Node, caller: Caller) -> None:
        self.node = node
        self._authority = node.authority
        self._caller = caller
        node.seal_last()

    def own_key(self) -> None:
        """Nobody's: at home the log is read without a request."""

    @contextmanager
    def whole(self) -> Iterator[LogSource | None]:
        """All of the log, of one moment; None where it is not for this caller, and a server has to be asked as well."""
        if not self._sees_all():
            yield None
            return
        folder = self.node.settings.audit_archive
        with self.node.store.reading() as tx:
            yield StoreLog(tx, None if folder is None else LogFolder(folder).entries)

    def _sees_all(self) -> bool:
        with self._authority.looking(self._caller, needs=READ) as work:
            return work.actor.operator

    def search_log(self, **query: str | int | None) -> EntryPage:
        """Find entries, one page."""
        self.node.seal_last()
        return search_log(self._authority, self._caller, _query(query))

    def show_entry(self, index: int) -> ProvenEntry:
        """Show an entry and its proof."""
        return show_entry(self._authority, self._caller, index)

    def show_checkpoint(self) -> str:
        """Show the newest checkpoint."""
        return show_checkpoint(self._authority, self._caller)

    def show_public_key(self) -> str:
        """Show what checkpoints are verified with."""
        return show_public_key(self._authority, self._caller, self.node.settings.signing_seed())

    def show_tile(self, path: str) -> bytes:
        """Give a hash tile, or a bundle of entries."""
        folder = self.node.settings.audit_archive
        archive = None if folder is None else LogFolder(folder).encoded_bundle
        return show_tile(self._authority, self._caller, path.removeprefix("tile/"), archive=archive)

    def export_log(self, form: ExportFormat, **query: str | int | None) -> Iterator[bytes]:
        """Give all entries that are looked for, part by part."""
        return export_log(self._authority, self._caller, _query(query), form)


def _query(query: dict[str, Any]) -> LogQuery:
    return LogQuery(**{name: value for name, value in query.items() if value is not None})
