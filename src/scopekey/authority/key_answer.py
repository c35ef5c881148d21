"""A key's row as people see it, and as the audit log keeps it before and after a change."""

from typing import Any

from scopekey.core.grant import Register
from scopekey.core.organization import Organization
from scopekey.core.purpose import nearest_preset, purpose
from scopekey.store.keys import KeyRow
from scopekey.wire.resources import KeyAnswer, Revocation, SecretAnswer, WhoAnswer
from scopekey.wire.times import from_millis, rfc3339


def key_answer(
    row: KeyRow, organization: Organization, register: Register, now: int, warnings: tuple[str, ...] = ()
) -> KeyAnswer:
    """Write a key for people. The end is the one that counts, the organization's cap included."""
    key = row.key
    ends = key.ends(organization)
    return KeyAnswer(
        id=key.id,
        name=row.name,
        organization=key.organization,
        environment=key.environment,
        status="revoked" if key.revoked is not None else "expired" if ends is not None and now >= ends else "active",
        permissions=list(register.names(key.held(now))),
        purpose=purpose(register, key.held(now)),
        nearest_preset=_preset(register, key.held(now)),
        created_at=from_millis(key.created),
        created_by=WhoAnswer(kind=row.created_by.kind, id=row.created_by.id),
        expires_at=None if ends is None else from_millis(ends),
        allowed_networks=[str(network) for network in key.networks],
        metadata=row.metadata,
        secrets=_secrets(row, now),
        revocation=_revocation(row),
        last_used=None if row.last_used is None else from_millis(row.last_used),
        version=key.version,
        warnings=list(warnings),
    )


def key_record(row: KeyRow, register: Register) -> dict[str, Any]:
    """Write a key for the audit log: everything a change can change, and no digest."""
    key = row.key
    record: dict[str, Any] = {
        "name": row.name,
        "environment": key.environment,
        "permissions": sorted(register.names(key.grant)),
        "expires_at": None if key.expires is None else rfc3339(key.expires),
        "allowed_networks": [str(network) for network in key.networks],
        "metadata": row.metadata,
        "secrets": [
            {"number": secret.number, "until": None if secret.until is None else rfc3339(secret.until)}
            for secret in key.secrets
        ],
        "version": key.version,
    }
    if key.revoked is not None:
        record["revoked_at"] = rfc3339(key.revoked)
        record["reason"] = row.revoke_reason
        record["comment"] = row.revoke_comment
    return record


def _secrets(row: KeyRow, now: int) -> list[SecretAnswer]:
    return [
        SecretAnswer(
            number=secret.number,
            created_at=from_millis(row.secret_created.get(secret.number, row.key.created)),
            until=None if secret.until is None else from_millis(secret.until),
        )
        for secret in row.key.secrets
        if secret.until is None or secret.until > now
    ]


def _revocation(row: KeyRow) -> Revocation | None:
    if row.key.revoked is None:
        return None
    return Revocation(at=from_millis(row.key.revoked), reason=row.revoke_reason or "other", comment=row.revoke_comment)


def _preset(register: Register, grant: int) -> str | None:
    found = nearest_preset(register, grant)
    if found is None:
        return None
    preset, distance = found
    return preset.name if distance == 0 else f"{preset.name} (differs in {distance})"
