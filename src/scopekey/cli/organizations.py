"""``scopekey organizations …``: tenants and their policy, for the operator."""

from typing import Annotated, Any

import typer

from scopekey.cli.acting import management
from scopekey.cli.output import AsJson, Local, print_json, print_pairs, print_table
from scopekey.wire.resources import CreateOrganization, EditOrganization, OrganizationAnswer

app: typer.Typer = typer.Typer(no_args_is_help=True, help="Tenants and their policy (operator only).")

Identity = Annotated[str, typer.Argument(metavar="org_…", help="The organization's id.")]
MaxKeyAge = Annotated[str | None, typer.Option(help="The longest a key may live: 90d; `none` for no cap.")]
NeverExpires = Annotated[bool | None, typer.Option("--allow-never-expires/--forbid-never-expires")]


@app.command()
def create(
    name: Annotated[str, typer.Argument(help="Its name.")],
    max_key_age: MaxKeyAge = None,
    never_expires: NeverExpires = None,
    as_json: AsJson = False,
    local: Local = False,
) -> None:
    """Make a tenant."""
    policy = _policy(None, max_key_age, never_expires)
    body = CreateOrganization.model_validate({"name": name} | ({"policy": policy} if policy else {}))
    with management(local=local) as manage:
        _print(manage.create_organization(body), as_json=as_json)


@app.command("list")
def list_(as_json: AsJson = False, local: Local = False) -> None:
    """List tenants, oldest first."""
    found, cursor = list[OrganizationAnswer](), None
    with management(local=local) as manage:
        while True:
            page = manage.list_organizations(limit=200, cursor=cursor)
            found += page.items
            cursor = page.next
            if cursor is None:
                break
    if as_json:
        print_json(found)
        return
    print_table(
        ("id", "name", "max key age", "status"),
        [(o.id, o.name, o.policy.max_key_age or "none", _status(o)) for o in found],
    )


@app.command()
def show(identity: Identity, as_json: AsJson = False, local: Local = False) -> None:
    """Show a tenant."""
    with management(local=local) as manage:
        _print(manage.show_organization(identity), as_json=as_json)


@app.command()
def edit(
    identity: Identity,
    name: Annotated[str | None, typer.Option(help="A new name.")] = None,
    max_key_age: MaxKeyAge = None,
    never_expires: NeverExpires = None,
    suspended: Annotated[
        bool | None, typer.Option("--suspend/--resume", help="Refuse all its keys, or no more.")
    ] = None,
    as_json: AsJson = False,
    local: Local = False,
) -> None:
    """Change a tenant. A lowered cap or a suspension reaches keys already issued."""
    with management(local=local) as manage:
        present = manage.show_organization(identity)
        given: dict[str, Any] = {"name": name, "suspended": suspended}
        given["policy"] = _policy(present, max_key_age, never_expires)
        body = EditOrganization.model_validate({field: value for field, value in given.items() if value is not None})
        _print(manage.edit_organization(identity, body, version=present.version), as_json=as_json)


def _policy(
    present: OrganizationAnswer | None, max_key_age: str | None, never_expires: bool | None
) -> dict[str, Any] | None:
    """The whole policy after the change, or None where nothing of it was given."""
    if max_key_age is None and never_expires is None:
        return None
    policy: dict[str, Any] = present.policy.model_dump() if present else {"max_key_age": None, "never_expires": False}
    if max_key_age is not None:
        policy["max_key_age"] = None if max_key_age == "none" else max_key_age
    if never_expires is not None:
        policy["never_expires"] = never_expires
    return policy


def _status(organization: OrganizationAnswer) -> str:
    return "suspended" if organization.suspended else "operator" if organization.operator else "active"


def _print(organization: OrganizationAnswer, *, as_json: bool) -> None:
    if as_json:
        print_json(organization)
        return
    print_pairs(
        [
            ("id", organization.id),
            ("name", organization.name),
            ("status", _status(organization)),
            ("max key age", organization.policy.max_key_age or "none"),
            ("never expires", "allowed" if organization.policy.never_expires else "not allowed"),
            ("version", str(organization.version)),
        ]
    )
