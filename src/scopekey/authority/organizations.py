"""Tenants and their policy: only for the operator."""

import msgspec

from scopekey.authority.actor import Caller
from scopekey.authority.find_key import read_cursor, write_cursor
from scopekey.authority.unit_of_work import Authority, UnitOfWork
from scopekey.core.ids import OrganizationId, organization_id
from scopekey.core.organization import Organization, Policy
from scopekey.core.problem import ProblemError
from scopekey.replica.index import Place
from scopekey.wire.resources import (
    CreateOrganization,
    EditOrganization,
    OrganizationAnswer,
    OrganizationPage,
    PolicyAnswer,
    PolicyBody,
)
from scopekey.wire.times import parse_duration, print_duration

LOOK, MANAGE = "scopekey_organizations:read", "scopekey_organizations:write"


def create_organization(
    authority: Authority, caller: Caller, asked: CreateOrganization
) -> tuple[OrganizationAnswer, Place | None]:
    """Make a tenant. Raises ProblemError."""
    with authority.changing(caller, needs=MANAGE) as work:
        _refuse_stranger(work)
        made = Organization(organization_id(authority.random(16)), asked.name, policy=_policy(asked.policy))
        work.tx.organizations.insert(made, work.now)
        work.change(made, "organization.create", organization=made.id, after=organization_record(made))
    return organization_answer(made), work.place


def edit_organization(
    authority: Authority, caller: Caller, identity: str, asked: EditOrganization, *, version: int | None = None
) -> tuple[OrganizationAnswer, Place | None]:
    """Change a tenant. A lowered cap or a suspension reaches keys already issued. Raises ProblemError."""
    with authority.changing(caller, needs=MANAGE) as work:
        _refuse_stranger(work)
        before = work.organization(OrganizationId(identity), lock=True)
        if version is not None and version != before.version:
            raise ProblemError(
                "version_conflict",
                f"The organization is at version {before.version}, not {version}. Read it again, and decide again.",
                version=before.version,
            )
        if asked.suspended and before.operator:
            raise ProblemError("conflict", "The operator cannot be suspended: nobody could undo it.")
        after = msgspec.structs.replace(
            before,
            name=before.name if asked.name is None else asked.name,
            policy=before.policy if asked.policy is None else _policy(asked.policy),
            suspended=before.suspended if asked.suspended is None else asked.suspended,
            version=before.version + 1,
        )
        _refuse_longer(work, before.policy, after.policy)
        work.tx.organizations.update(after, before.version)
        work.change(
            after,
            "organization.edit",
            organization=after.id,
            before=organization_record(before),
            after=organization_record(after),
        )
    return organization_answer(after), work.place


def show_organization(authority: Authority, caller: Caller, identity: str) -> OrganizationAnswer:
    """Show one tenant."""
    with authority.looking(caller, needs=LOOK) as work:
        _refuse_stranger(work)
        return organization_answer(work.organization(OrganizationId(identity)))


def list_organizations(
    authority: Authority, caller: Caller, *, limit: int = 50, cursor: str | None = None
) -> OrganizationPage:
    """List tenants, oldest first."""
    with authority.looking(caller, needs=LOOK) as work:
        _refuse_stranger(work)
        found = work.tx.organizations.page(read_cursor(cursor), limit + 1)
        items = [organization_answer(organization) for _, organization in found[:limit]]
        created, last = found[limit - 1] if len(found) > limit else (0, None)
        return OrganizationPage(items=items, next=write_cursor(created, last.id) if last else None)


def organization_answer(organization: Organization) -> OrganizationAnswer:
    """Write a tenant for people."""
    return OrganizationAnswer(
        id=organization.id,
        name=organization.name,
        operator=organization.operator,
        suspended=organization.suspended,
        policy=_policy_answer(organization.policy),
        version=organization.version,
    )


def _policy_answer(policy: Policy) -> PolicyAnswer:
    cap = None if policy.max_key_age is None else print_duration(policy.max_key_age)
    return PolicyAnswer(max_key_age=cap, never_expires=policy.never_expires)


def _policy(body: PolicyBody) -> Policy:
    cap = None if body.max_key_age is None else parse_duration(body.max_key_age)
    if cap == 0:
        raise ProblemError("invalid_request", "`max_key_age` of nothing would end every key.", field="max_key_age")
    return Policy(cap, body.never_expires)


def _refuse_longer(work: UnitOfWork, before: Policy, after: Policy) -> None:
    """Rule 6: loosening a policy renews keys, the caller's own perhaps, so none may come to outlive the caller."""
    if work.actor.ends is None or not _loosens(before, after):
        return
    if after.max_key_age is None or after.never_expires or work.now + after.max_key_age > work.actor.ends:
        raise ProblemError(
            "exceeds_caller",
            "Under this policy keys could outlive the caller. Choose a smaller `max_key_age`, "
            "or ask somebody whose key does not end.",
        )


def _loosens(before: Policy, after: Policy) -> bool:
    """Tell whether a key already issued could live longer."""
    if before.max_key_age is None:
        return False
    longer = after.max_key_age is None or after.max_key_age > before.max_key_age
    return longer or (after.never_expires and not before.never_expires)


def organization_record(organization: Organization) -> dict[str, object]:
    """Write a tenant for the audit log."""
    return organization_answer(organization).model_dump(exclude={"id"})


def _refuse_stranger(work: UnitOfWork) -> None:
    """Only the operator: the permission alone is not enough, should a tenant's key ever hold it."""
    if not work.actor.operator:
        raise ProblemError("not_found", "There is no such thing here.")
