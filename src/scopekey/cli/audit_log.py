"""What the commands of the audit log act on: the home folder, or a server over HTTP."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Protocol

from scopekey.audit.source import LogSource
from scopekey.cli.acting import caller, home, server
from scopekey.cli.over_http import Server
from scopekey.wire.audit import EntryPage, ExportFormat, ProvenEntry


class AuditLog(Protocol):
    """What can be asked of a log, wherever it is."""

    def own_key(self) -> str | None:
        """The key whose requests read the log, and stand in it themselves; None where it is read without any."""

    def whole(self) -> AbstractContextManager[LogSource | None]:
        """All of the log, for a verification; None where the caller may not read all of it."""

    def search_log(self, **query: str | int | None) -> EntryPage:
        """Find entries, one page."""

    def show_entry(self, index: int) -> ProvenEntry:
        """Show an entry and its proof."""

    def show_checkpoint(self) -> str:
        """Show the newest checkpoint."""

    def show_public_key(self) -> str:
        """Show what checkpoints are verified with."""

    def show_tile(self, path: str) -> bytes:
        """Give a hash tile, or a bundle of entries."""

    def export_log(self, form: ExportFormat, **query: str | int | None) -> Iterator[bytes]:
        """Give all entries that are looked for, part by part."""


@contextmanager
def audit_log(*, local: bool = False) -> Iterator[AuditLog]:
    """Open the log that the command acts on. Raises CannotActError."""
    over_http = None if local else server()
    if over_http is not None:
        with Server(*over_http) as client:
            yield client
        return
    with home(local=local) as node:
        from scopekey.cli.audit_home import HomeAudit

        yield HomeAudit(node, caller(node, local=local))
