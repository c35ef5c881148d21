"""One data plane: the replica of this machine, the verifier over it, the journal, and what carries it up."""

import os
from collections.abc import Callable
from pathlib import Path

from scopekey.core.digest import Pepper
from scopekey.core.ids import PepperId
from scopekey.gateway.home import StartRefusedError
from scopekey.replica.carrier import Carrier
from scopekey.replica.clock import milliseconds
from scopekey.replica.file_journal import FileJournal
from scopekey.replica.freshness import FeedFreshness
from scopekey.replica.lmdb_index import LmdbIndex
from scopekey.replica.send_decisions import SendDecisions
from scopekey.replica.verifier import Verifier
from scopekey.settings import MissingSecretError, Settings

KEY = "SCOPEKEY_API_KEY"


class GatewayNode:
    """What a process of a data plane works with. Close it, so that its journal is on the disk."""

    def __init__(self, settings: Settings, *, key: Callable[[], str], clock: Callable[[], int] = milliseconds) -> None:
        """Join the parts; nothing is read yet but the peppers. Raises MissingSecretError, ValueError."""
        self.settings = settings
        self.key = key
        """Gives the key for the upstream."""
        self.missing_permission_status: int = settings.missing_permission_status
        self.peppers: dict[PepperId, Pepper] = settings.pepper_ring()
        self.index: LmdbIndex = LmdbIndex(settings.replica_path)
        self._sender = SendDecisions(upstream_of(settings), key)
        self._carrier = carrier(settings, self._sender)
        self._carries = False
        self.journal: FileJournal = journal(settings, begun=self._begun)
        self.verifier: Verifier = Verifier(
            self.index,
            key_format=settings.key_format,
            peppers=self.peppers,
            journal=self.journal,
            clock=clock,
            freshness=FeedFreshness(
                self.index.level,
                stale_after=settings.stale_after,
                refuse_after=settings.refuse_after,
                look=self.index.look,
            ),
        )

    def carry(self) -> None:
        """Hand up what all processes of this home folder record, until `close`, where no other one does."""
        self._carries = True
        self._carrier.start()

    def close(self) -> None:
        """End the journal, hand up what nobody else does, and let go of the replica."""
        used = self.journal.used
        self.journal.close()
        if used or self._carries:
            self._carrier.stop()
        self._sender.close()
        self.index.close()

    def _begun(self) -> None:
        # In a child after a fork no thread came along.
        if self._carries:
            self._carrier.start()


def journal(settings: Settings, *, begun: Callable[[], None] | None = None) -> FileJournal:
    """The journal of a process of a home folder."""
    return FileJournal(
        settings.journal_path, settings.node_id, mode=settings.journal, limit=settings.journal_limit, begun=begun
    )


def carrier(settings: Settings, sender: SendDecisions) -> Carrier:
    """What hands up the decisions of a home folder."""
    return Carrier(settings.journal_path, sender, node=settings.node_id, hurry=sender.hurry)


def key_of(settings: Settings) -> Callable[[], str]:
    """Give the key for the upstream, read anew each time: from its file, so that it can be rotated, or the environment.

    Raises MissingSecretError where there is none.
    """
    file = settings.key_file
    given = os.environ.get(KEY, "").strip()
    if file is None and not given:
        raise MissingSecretError(
            f"there is no key for the upstream: set {KEY}, or name its file with --key-file; it is one of the "
            "operator that holds scopekey_changes:read and scopekey_journal:write"
        )
    return (lambda: _read(file)) if file is not None else (lambda: given)


def _read(file: Path) -> str:
    try:
        return file.read_text("ascii").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise MissingSecretError(f"the key file {file} cannot be read ({type(error).__name__})") from error


def upstream_of(settings: Settings) -> str:
    """Where this node follows. Raises StartRefusedError where nothing is named."""
    if settings.upstream is None:
        raise StartRefusedError("there is no upstream: name the control plane with --upstream or SCOPEKEY_UPSTREAM")
    return settings.upstream
