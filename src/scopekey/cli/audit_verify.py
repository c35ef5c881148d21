"""``scopekey audit verify``: the whole log, or as an ordinary organization one's own entries, checked here."""

import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated

import typer

from scopekey.audit.note import VerifierKey
from scopekey.audit.report import Broken, LogReport
from scopekey.audit.verify import verify_log
from scopekey.cli.acting import CannotActError
from scopekey.cli.audit_heads import read_heads
from scopekey.cli.audit_log import AuditLog, audit_log
from scopekey.cli.audit_own import verify_own
from scopekey.cli.audit_part import verify_part
from scopekey.cli.audit_prove import read_public_key
from scopekey.cli.audit_text import visible
from scopekey.cli.output import Local, warn
from scopekey.client.audit_source import TiledLog
from scopekey.client.log_folder import LogFolder
from scopekey.core.problem import ProblemError

BROKEN = 1
_EVERY = 0.2
"""How often progress is told, in seconds."""


def verify(
    head: Annotated[
        list[Path] | None, typer.Option(help="A file of checkpoints that were kept elsewhere; more than once.")
    ] = None,
    public_key: Annotated[
        Path | None, typer.Option(help="The file with the log's public key; else the log is asked for it.")
    ] = None,
    log: Annotated[
        Path | None, typer.Option(help="A folder with checkpoint, tile/… and tile/entries/…, instead of a database.")
    ] = None,
    local: Local = False,
) -> None:
    """Derive every hash again from the entries, and compare. Exits 0 where the log is intact, 1 where it is not.

    An organization that is not the operator verifies that its own entries are in the log.
    """
    heads = [note for file in head or () for note in read_heads(file)]
    key = None if public_key is None else read_public_key(public_key)
    if log is not None:
        if key is None:
            raise CannotActError("a folder cannot say whose log it is: name the log's public key with --public-key")
        _verify_folder(LogFolder(log), key, heads)
        return
    with audit_log(local=local) as opened:
        known = key or _public_key_of(opened, heads)
        if known is None:
            typer.echo("The log holds no entry yet.")
            return
        with opened.whole() as source:
            if source is not None:
                _say(_telling(lambda told: verify_log(source, known, heads=heads, told=told)))
                return
        own = verify_own(opened, known, heads)
    if isinstance(own, Broken):
        _say(own)
    else:
        typer.echo(f"{own.entries} entries of yours are in the log. Head: {own.size} {own.root.hex()}")


def _verify_folder(folder: LogFolder, key: VerifierKey, heads: Sequence[str]) -> None:
    source = TiledLog(folder.checkpoint(), folder)
    end = folder.reaches(source.size)
    if end == source.size:
        _say(_telling(lambda told: verify_log(source, key, heads=heads, told=told)))
        return
    # What `audit archive` wrote: the newer entries are in the database still.
    found = verify_part(source, end, key, heads)
    if isinstance(found, Broken):
        _say(found)
    else:
        typer.echo(
            f"{end} of {found.size} entries are here, and intact with the hashes of all. "
            f"Head: {found.size} {found.root.hex()}"
        )


def _public_key_of(log: AuditLog, heads: Sequence[str]) -> VerifierKey | None:
    """What the log says is its public key; None of a log that is empty, and always was as far as is known."""
    try:
        return VerifierKey.parse(log.show_public_key())
    except ProblemError as error:
        if error.problem.code != "not_found" or heads:
            raise
        return None


def _telling(verify: Callable[[Callable[[int], None]], LogReport]) -> LogReport:
    """Run a verification; on a terminal, tell how far it is."""
    if not sys.stderr.isatty():
        return verify(lambda _: None)
    last = time.monotonic()

    def told(done: int) -> None:
        nonlocal last
        if time.monotonic() - last > _EVERY:
            last = time.monotonic()
            sys.stderr.write(f"\r{done:,} entries verified")
            sys.stderr.flush()

    try:
        return verify(told)
    finally:
        sys.stderr.write("\r\x1b[K")


def _say(found: LogReport) -> None:
    if isinstance(found, Broken):
        warn(f"The log is not intact: {visible(found.why)}.")
        raise typer.Exit(BROKEN)
    before = f" from {found.read_from} on" if found.read_from else ""
    kept = f", {_count(found.heads, 'head')}" if found.heads else ""
    entries, checkpoints = found.size - found.read_from, _count(found.checkpoints, "checkpoint")
    typer.echo(
        f"{_count(entries, 'entry', 'entries')}{before}, {checkpoints}{kept}: the log is intact. "
        f"Head: {found.size} {found.root.hex()}"
    )


def _count(number: int, one: str, many: str | None = None) -> str:
    return f"{number} {one if number == 1 else many or one + 's'}"
