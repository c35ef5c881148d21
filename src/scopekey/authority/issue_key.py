"""Issue a key: the one moment in which its secret exists as text."""

from scopekey.authority.actor import Caller
from scopekey.authority.escalation import FOREIGN, refuse_escalation
from scopekey.authority.idempotency import remember_key, repeated_key
from scopekey.authority.key_answer import key_answer, key_record
from scopekey.authority.lifetime import asked_end, default_end, refuse_beyond_policy
from scopekey.authority.permissions import asked_grant, preset_names
from scopekey.authority.unit_of_work import Authority, UnitOfWork
from scopekey.core.ids import OrganizationId, key_id
from scopekey.core.key import Key, Secret
from scopekey.core.network import parse_network
from scopekey.core.organization import Organization
from scopekey.core.problem import ProblemError
from scopekey.replica.index import Place
from scopekey.store.keys import KeyRow
from scopekey.wire.resources import CreateKey, IssuedKey

MANAGE = "scopekey_keys:write"


def issue_key(
    authority: Authority, caller: Caller, asked: CreateKey, *, idempotency_key: str | None = None
) -> tuple[IssuedKey, Place | None]:
    """Issue a key, and give the place at which every verifier of this machine knows it.

    The same `idempotency_key` again gives the same key and no secret, and no place; with another
    body it is refused. Raises ProblemError.
    """
    with authority.changing(caller, needs=MANAGE, alone=idempotency_key is not None) as work:
        again = repeated_key(work, "keys.create", idempotency_key, asked)
        if again is not None:
            return IssuedKey(key=again, secret=None), None
        organization = _organization(work, asked)
        row, printed = _new_row(authority, work, asked, organization)
        refuse_escalation(work.actor, row.key, organization, work.register)
        work.tx.keys.insert(row)
        remember_key(work, "keys.create", idempotency_key, asked, row.key.id)
        work.change(row.key, "key.issue", organization=organization.id, after=key_record(row, work.register))
        answer = key_answer(row, organization, work.register, work.now)
    return IssuedKey(key=answer, secret=printed), work.place


def _organization(work: UnitOfWork, asked: CreateKey) -> Organization:
    own = work.actor.organization
    if asked.organization is not None and asked.organization != own:
        found = work.organization(OrganizationId(asked.organization))
        work.require(FOREIGN)
        return found
    found_own = work.owner or work.tx.organizations.operator()
    if found_own is None:
        raise ProblemError("unavailable", "The store holds no organization: it was never initialised.")
    return found_own


def _new_row(
    authority: Authority, work: UnitOfWork, asked: CreateKey, organization: Organization
) -> tuple[KeyRow, str]:
    environment = _environment(authority, work, asked)
    names = asked.permissions if asked.permissions is not None else preset_names(work.register, asked.preset or "")
    grant = asked_grant(work.register, names, organization)
    identity = key_id(authority.random(16))
    printed = authority.key_format.print(environment, identity, authority.random(32))
    key = Key(
        id=identity,
        version=1,
        organization=organization.id,
        environment=environment,
        secrets=(Secret(authority.pepper.digest(printed), authority.pepper.id),),
        grant=grant,
        created=work.now,
        expires=_end(authority, work, asked, organization),
        networks=tuple(parse_network(network) for network in asked.allowed_networks),
    )
    row = KeyRow(
        key=key,
        name=asked.name,
        metadata=dict(asked.metadata),
        created_by=work.actor.who,
        granted_at={bit: work.now for bit in range(grant.bit_length()) if grant >> bit & 1},
        secret_created={1: work.now},
    )
    return row, printed


def _environment(authority: Authority, work: UnitOfWork, asked: CreateKey) -> str:
    known = authority.key_format.environments
    environment = asked.environment or work.actor.environment or known[0]
    if environment not in known:
        raise ProblemError(
            "invalid_request",
            f"There is no environment {environment!r}; there are {', '.join(known)}.",
            field="environment",
        )
    return environment


def _end(authority: Authority, work: UnitOfWork, asked: CreateKey, organization: Organization) -> int | None:
    end = asked_end(asked, work.now)
    if end is None and not asked.never_expires:
        return default_end(work.actor, organization, work.now, authority.default_lifetime)
    refuse_beyond_policy(asked, end, work.now, organization)
    return end
