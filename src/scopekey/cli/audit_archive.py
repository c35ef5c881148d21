"""``scopekey audit archive``: older entries move from the database to a folder, and can be verified there too."""

from pathlib import Path
from typing import Annotated

import typer

from scopekey.cli.acting import CannotActError, home
from scopekey.cli.output import warn
from scopekey.wire.times import parse_duration


def archive(
    folder: Annotated[
        Path | None, typer.Argument(help="Where to; else SCOPEKEY_AUDIT_ARCHIVE, where the log looks for them later.")
    ] = None,
    older_than: Annotated[
        str | None, typer.Option(help="How old: 90d, 0s for all there are; else SCOPEKEY_AUDIT_KEEP.")
    ] = None,
) -> None:
    """Move sealed entries to a folder in the layout of C2SP tlog-tiles, in whole bundles of 256.

    The folder can be verified by itself, with the log's public key: `audit verify --log FOLDER`. Entries there are
    no longer found by a search.
    """
    from scopekey.authority.archive_log import archive_log

    with home(local=True) as node:
        settings = node.settings
        target = folder or settings.audit_archive
        keep = settings.audit_keep if older_than is None else parse_duration(older_than)
        if target is None:
            raise CannotActError("name the folder to move entries to, or set SCOPEKEY_AUDIT_ARCHIVE")
        if keep is None:
            raise CannotActError("say how old entries must be with --older-than, or set SCOPEKEY_AUDIT_KEEP")
        node.seal()
        clock = node.authority.clock
        begun, end = archive_log(node.store, target, before=clock() - keep, clock=clock)
        node.seal()
    if end > begun:
        typer.echo(f"{end - begun} entries, {begun} to {end - 1}, are in {target}.")
        if settings.audit_archive is None or settings.audit_archive.resolve() != target.resolve():
            warn(f"Set SCOPEKEY_AUDIT_ARCHIVE={target}, or `audit verify` cannot read what is there.")
    else:
        typer.echo(f"There are not 256 entries yet that are that old: nothing was moved. {begun} are in {target}.")
