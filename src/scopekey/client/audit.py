"""The audit log over HTTP: searched, proved, and fetched whole."""

from collections.abc import Iterator
from contextlib import contextmanager

import httpx

from scopekey.audit.source import LogSource
from scopekey.audit.tiles import bundle_path, width_at
from scopekey.client.audit_source import FetchedFiles, TiledLog
from scopekey.client.management import ManagementClient, UnreachableError, problem_of
from scopekey.core.problem import ProblemError
from scopekey.wire.audit import EntryPage, ExportFormat, ProvenEntry

_BASE = "/v1/audit"
ENTRIES = f"{_BASE}/entries"
"""Where entries are asked for."""
# Where little is found, nothing is heard for as long as it is looked for.
_EXPORT = httpx.Timeout(30.0, read=600.0)


class AuditClient(ManagementClient):
    """Reads the audit log with one key."""

    @contextmanager
    def whole(self) -> Iterator[LogSource | None]:
        """All of the log as of its newest checkpoint; None where the key may not read all of it."""
        source = TiledLog(self.show_checkpoint(), FetchedFiles(self.show_tile))
        try:
            self.show_tile(bundle_path(0, width_at(0, 0, source.size)))
        except ProblemError as error:
            if error.problem.code != "not_found":
                raise
            yield None
        else:
            yield source

    def own_key(self) -> str:
        """The id of the key that asks."""
        return self.whoami().key.id

    def search_log(self, **query: str | int | None) -> EntryPage:
        """Find entries, one page; the arguments are the call's query parameters."""
        return self._get(ENTRIES, EntryPage, query)

    def show_entry(self, index: int) -> ProvenEntry:
        """Show an entry and its proof."""
        return self._get(f"{ENTRIES}/{index}", ProvenEntry)

    def show_checkpoint(self) -> str:
        """Show the newest checkpoint, as the note that was signed."""
        return self._fetch(f"{_BASE}/checkpoint").decode("utf-8", "replace")

    def show_public_key(self) -> str:
        """Show what the server says checkpoints are verified with."""
        return self._fetch(f"{_BASE}/key").decode("utf-8", "replace").strip()

    def show_tile(self, path: str) -> bytes:
        """Fetch a hash tile or a bundle of entries by its path, `tile/0/x001/234`."""
        return self._fetch(f"{_BASE}/{path}")

    def export_log(self, form: ExportFormat, **query: str | int | None) -> Iterator[bytes]:
        """Fetch all entries that are looked for, part by part. Raises UnreachableError where it breaks off."""
        sent = {name: value for name, value in query.items() if value is not None} | {"format": form}
        try:
            with self._http.stream("GET", f"{_BASE}/export", params=sent, timeout=_EXPORT) as response:
                if not response.is_success:
                    response.read()
                    raise problem_of(response)
                yield from response.iter_bytes()
        except httpx.HTTPError as error:
            raise UnreachableError(
                f"the export broke off ({type(error).__name__}): what came so far is not all"
            ) from None

    def _fetch(self, path: str) -> bytes:
        response = self._ask("GET", path)
        if not response.is_success:
            raise problem_of(response)
        return response.content
