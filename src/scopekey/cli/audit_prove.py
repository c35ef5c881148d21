"""``scopekey audit prove``, ``verify-proof`` and ``public-key``: one entry, proved to whoever has the public key."""

import json
from pathlib import Path
from typing import Annotated

import msgspec
import typer

from scopekey.audit.checkpoint import read_checkpoint
from scopekey.audit.merkle import ProofError
from scopekey.audit.note import VerifierKey
from scopekey.audit.proof import check_proof, read_proof, write_proof, write_tlog_proof
from scopekey.cli.acting import CannotActError
from scopekey.cli.audit_log import audit_log
from scopekey.cli.audit_text import visible
from scopekey.cli.output import Local, print_pairs, warn

NOT_PROVED = 1
_LARGEST = 1 << 20
"""The most bytes of a proof or a key that are read."""

PublicKey = Annotated[Path, typer.Option(help="The file with the log's public key, as `audit public-key` prints it.")]


def prove(
    index: Annotated[int, typer.Argument(min=0, help="The entry's place in the log.")],
    tlog_proof: Annotated[
        bool, typer.Option("--tlog-proof", help="In the form of C2SP tlog-proof, without the entry.")
    ] = False,
    local: Local = False,
) -> None:
    """Print the proof that an entry is in the log: a file that anybody with the public key can check."""
    with audit_log(local=local) as log:
        proof = read_proof(msgspec.json.encode(log.show_entry(index).proof))
    typer.echo(write_tlog_proof(proof) if tlog_proof else write_proof(proof).decode(), nl=False)


def verify_proof(
    proof: Annotated[Path, typer.Argument(help="The file that `audit prove` printed.")],
    public_key: PublicKey,
    as_json: Annotated[bool, typer.Option("--json", help="Print the entry as JSON.")] = False,
) -> None:
    """Check a proof, with no home folder and no server. Exits 0 when it holds, 1 when not, 2 where a file is none."""
    key = read_public_key(public_key)
    try:
        found = read_proof(read_file(proof))
        check_proof(found, key)
    except ProofError as error:
        warn(f"Not proved: {error}.")
        raise typer.Exit(NOT_PROVED) from None
    body = msgspec.json.decode(found.entry)
    if as_json:
        typer.echo(json.dumps(body))
    else:
        print_pairs([(visible(name), visible(_told(value))) for name, value in body.items()])
    checkpoint = read_checkpoint(found.checkpoint, key)
    warn(f"Proved: this is entry {found.index} of the {checkpoint.size} in the log {checkpoint.origin}.")


def public_key(local: Local = False) -> None:
    """Print the log's public key: give it to whoever is to check proofs, by another way than the proofs."""
    with audit_log(local=local) as log:
        typer.echo(log.show_public_key())


def read_public_key(file: Path) -> VerifierKey:
    """Read the file of a public key. Raises CannotActError."""
    try:
        return VerifierKey.parse(read_file(file).decode("utf-8", "replace").strip())
    except ValueError as error:
        raise CannotActError(f"{file}: {error}") from None


def read_file(file: Path) -> bytes:
    """Read a small file whole. Raises CannotActError where it is a great one, and OSError."""
    with file.open("rb") as opened:
        content = opened.read(_LARGEST + 1)
    if len(content) > _LARGEST:
        raise CannotActError(f"{file} is larger than any proof or key")
    return content


def _told(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
