"""``scopekey keys …``: issue, list, show, edit, rotate, revoke, and what a key reaches."""

from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from scopekey.cli.acting import CannotActError, Management, management
from scopekey.cli.keys_usage import usage
from scopekey.cli.output import (
    AsJson,
    KeyFile,
    Local,
    Yes,
    confirm,
    deliver_secret,
    print_json,
    print_pairs,
    print_table,
    refuse_lost_secret,
    warn,
    when,
)
from scopekey.wire.resources import CreateKey, EditKey, IssuedKey, KeyAnswer, RevokeKey, RotateKey

app: typer.Typer = typer.Typer(no_args_is_help=True, help="Issue, look at, narrow, rotate and revoke keys.")
app.command()(usage)

SHOWN = 3
"""How many permissions a list names before it counts the rest."""

KeyIdArgument = Annotated[str, typer.Argument(metavar="key_…", help="The key's id.")]
Permissions = Annotated[
    list[str] | None, typer.Option("--permission", "-p", help="A permission; give it more than once.")
]
Networks = Annotated[list[str] | None, typer.Option("--network", help="A network it may be used from; more than once.")]
Metadata = Annotated[list[str] | None, typer.Option("--metadata", help="NAME=VALUE; more than once.")]
ExpiresIn = Annotated[str | None, typer.Option(help="How long it lives: 90d, 24h, P90D.")]
ExpiresAt = Annotated[str | None, typer.Option(help="When it ends, RFC 3339.")]
NeverExpires = Annotated[bool, typer.Option("--never-expires", help="It never ends, where the policy allows that.")]


@app.command()
def create(
    name: Annotated[str, typer.Argument(help="What the key is for.")],
    permission: Permissions = None,
    preset: Annotated[str | None, typer.Option(help="A preset of the catalog instead of permissions.")] = None,
    expires_in: ExpiresIn = None,
    expires_at: ExpiresAt = None,
    never_expires: NeverExpires = False,
    environment: Annotated[str | None, typer.Option(help="The environment it belongs to.")] = None,
    network: Networks = None,
    metadata: Metadata = None,
    organization: Annotated[str | None, typer.Option(help="Another organization (operator only).")] = None,
    key_file: KeyFile = None,
    as_json: AsJson = False,
    local: Local = False,
) -> None:
    """Issue a key."""
    refuse_lost_secret(key_file)
    given = {
        "name": name,
        "permissions": permission,
        "preset": preset,
        "environment": environment,
        "allowed_networks": network,
        "metadata": _metadata(metadata),
        "organization": organization,
    }
    body = CreateKey.model_validate(_sent(given, expires_in, expires_at, never_expires=never_expires))
    with management(local=local) as manage:
        _print_issued(manage.create_key(body), key_file, as_json=as_json)


@app.command("list")
def list_(
    status: Annotated[
        Literal["active", "expired", "revoked"] | None, typer.Option(help="active, expired or revoked.")
    ] = None,
    permission: Annotated[str | None, typer.Option(help="Keys that hold this permission.")] = None,
    text: Annotated[str | None, typer.Option(help="Keys whose name or id holds this text.")] = None,
    expiring_within: Annotated[str | None, typer.Option(help="Keys that end within this time: 14d.")] = None,
    unused_since: Annotated[
        str | None, typer.Option(help="Older keys that were not used since then: 90d, or a time.")
    ] = None,
    organization: Annotated[str | None, typer.Option(help="Keys of this organization (operator only).")] = None,
    as_json: AsJson = False,
    local: Local = False,
) -> None:
    """List keys, oldest first."""
    query = {
        "status": status,
        "permission": permission,
        "text": text,
        "expiring_within": expiring_within,
        "unused_since": unused_since,
    }
    with management(local=local) as manage:
        keys = _all(manage, organization=organization, **query)
    if as_json:
        print_json(keys)
        return
    rows = [
        (
            *(key.id, key.name, key.status, key.environment, _short(key.permissions)),
            *(when(key.last_used), when(key.expires_at)),
        )
        for key in keys
    ]
    print_table(("id", "name", "status", "environment", "permissions", "last used", "ends"), rows)


@app.command()
def show(key_id: KeyIdArgument, as_json: AsJson = False, local: Local = False) -> None:
    """Show a key: what it may do in words, when it ends, who made it."""
    with management(local=local) as manage:
        _print_key(manage.show_key(key_id), as_json=as_json)


@app.command()
def edit(
    key_id: KeyIdArgument,
    name: Annotated[str | None, typer.Option(help="A new name.")] = None,
    permission: Permissions = None,
    add: Annotated[list[str] | None, typer.Option("--add", help="Add a permission; more than once.")] = None,
    remove: Annotated[list[str] | None, typer.Option("--remove", help="Remove a permission; more than once.")] = None,
    expires_in: ExpiresIn = None,
    expires_at: ExpiresAt = None,
    never_expires: NeverExpires = False,
    network: Networks = None,
    any_network: Annotated[bool, typer.Option("--any-network", help="It may be used from anywhere.")] = False,
    metadata: Metadata = None,
    as_json: AsJson = False,
    local: Local = False,
) -> None:
    """Change a key in place; its secret stays."""
    if permission is not None and (add or remove):
        raise CannotActError("--permission says the whole grant: give either it, or --add and --remove")
    with management(local=local) as manage:
        present = manage.show_key(key_id)
        if add or remove:
            kept = [held for held in present.permissions if held not in (remove or [])]
            permission = [*kept, *(add or [])]
        given = {
            "name": name,
            "permissions": permission,
            "allowed_networks": [] if any_network else network,
            "metadata": None if metadata is None else _metadata(metadata),
        }
        body = EditKey.model_validate(_sent(given, expires_in, expires_at, never_expires=never_expires))
        _print_key(manage.edit_key(key_id, body, version=present.version), as_json=as_json)


@app.command()
def rotate(
    key_id: KeyIdArgument,
    overlap: Annotated[str, typer.Option(help="How long the old secret goes on: 24h, 0s.")] = "24h",
    replace: Annotated[str | None, typer.Option(help="Which one ends where two are live: old or new.")] = None,
    key_file: KeyFile = None,
    as_json: AsJson = False,
    local: Local = False,
) -> None:
    """Give a key a new secret; the old one goes on until the overlap ends."""
    refuse_lost_secret(key_file)
    body = RotateKey.model_validate({"overlap": overlap} | ({"replace": replace} if replace else {}))
    with management(local=local) as manage:
        _print_issued(manage.rotate_key(key_id, body), key_file, as_json=as_json)


@app.command()
def revoke(
    key_id: KeyIdArgument,
    reason: Annotated[str, typer.Option(help="compromised, superseded, unused or other.")],
    comment: Annotated[str | None, typer.Option(help="What happened, for those who look later.")] = None,
    yes: Yes = False,
    as_json: AsJson = False,
    local: Local = False,
) -> None:
    """End a key now, for good."""
    body = RevokeKey.model_validate({"reason": reason} | ({"comment": comment} if comment else {}))
    with management(local=local) as manage:
        key = manage.show_key(key_id)
        if key.status != "revoked":
            last = _is_last_manager(manage, key)
            warning = " It is the last key of its organization that can manage keys." if last else ""
            confirm(f"Revoke {key.name!r} ({key.id})? That is final.{warning}", yes=yes)
        _print_key(manage.revoke_key(key_id, body), as_json=as_json)


@app.command()
def reach(key_id: KeyIdArgument, as_json: AsJson = False, local: Local = False) -> None:
    """List the operations a key can call."""
    with management(local=local) as manage:
        found = manage.reach_key(key_id)
    if as_json:
        print_json(found)
        return
    print_table(
        ("operation", "open to"),
        [(call, "this key") for call in found.open] + [(call, "anybody") for call in found.public],
    )
    warn(f"{len(found.open)} open, {found.closed_count} closed, {len(found.public)} public")


def _sent(
    given: dict[str, Any], expires_in: str | None, expires_at: str | None, *, never_expires: bool
) -> dict[str, Any]:
    """Leave out what was not given: it means something else than an empty value."""
    given |= {"expires_in": expires_in, "expires_at": expires_at, "never_expires": never_expires or None}
    return {name: value for name, value in given.items() if value is not None}


def _metadata(pairs: list[str] | None) -> dict[str, str] | None:
    if pairs is None:
        return None
    for pair in pairs:
        if "=" not in pair:
            raise CannotActError(f"--metadata {pair!r} must be NAME=VALUE")
    return {name: value for name, _, value in (pair.partition("=") for pair in pairs)}


def _all(manage: Management, **query: str | None) -> list[KeyAnswer]:
    keys, cursor = list[KeyAnswer](), None
    while True:
        page = manage.list_keys(limit=200, cursor=cursor, **query)
        keys += page.items
        cursor = page.next
        if cursor is None:
            return keys


def _is_last_manager(manage: Management, key: KeyAnswer) -> bool:
    managers = _all(manage, organization=key.organization, permission="scopekey_keys:write", status="active")
    return [other.id for other in managers] == [key.id]


def _short(permissions: list[str]) -> str:
    shown, rest = permissions[:SHOWN], permissions[SHOWN:]
    return ", ".join(shown) + (f" and {len(rest)} more" if rest else "")


def _print_issued(issued: IssuedKey, key_file: Path | None, *, as_json: bool) -> None:
    deliver_secret(issued.secret, key_file)
    _print_key(issued.key, as_json=as_json)


def _print_key(key: KeyAnswer, *, as_json: bool) -> None:
    for warning in key.warnings:
        warn(warning)
    if as_json:
        print_json(key)
        return
    pairs: list[tuple[str, str]] = [
        ("id", key.id),
        ("name", key.name),
        (
            "status",
            key.status if key.revocation is None else f"revoked {when(key.revocation.at)}: {key.revocation.reason}",
        ),
        ("purpose", key.purpose),
        ("nearest preset", key.nearest_preset or "none"),
        ("permissions", ", ".join(key.permissions)),
        ("environment", key.environment),
        ("organization", key.organization),
        ("networks", ", ".join(key.allowed_networks) or "any"),
        ("created", f"{when(key.created_at)} by {key.created_by.kind} {key.created_by.id}"),
        ("last used", when(key.last_used)),
        ("ends", when(key.expires_at)),
        (
            "secrets",
            ", ".join(
                f"{secret.number}" + (f" until {when(secret.until)}" if secret.until else "") for secret in key.secrets
            ),
        ),
        ("version", str(key.version)),
    ]
    print_pairs([*pairs, *((f"metadata {name}", value) for name, value in key.metadata.items())])
