"""The whole security model: what a key must be, hold and come from for one call to be allowed.

Everything a decision depends on is an argument, ``now`` included; nothing is looked up. Permissions
add up, nothing denies, and each resource and level is checked on its own.
"""

from scopekey.core.decision import Allowed, Decision, DenialReason, Denied
from scopekey.core.grant import Register
from scopekey.core.key import Key, Secret
from scopekey.core.network import Address, within
from scopekey.core.organization import Organization
from scopekey.core.requirement import Need

PUBLIC = Allowed()
"""A public operation is allowed; the credential is not looked at."""


def decide(
    key: Key | None,
    secret: Secret | None,
    organization: Organization | None,
    need: Need | None,
    *,
    register: Register,
    now: int,
    address: Address | None,
) -> Decision:
    """Decide one call of one key.

    `key` is the record found by the presented id, `secret` the one of its secrets that matched,
    `need` what the operation requires (None: it is not listed), `now` milliseconds since the epoch.
    The refusals stand in the order in which they are told.
    """
    if key is None or secret is None or organization is None:
        return Denied(DenialReason.UNKNOWN_KEY)
    if key.extensions:
        # An extension narrows a key in a way this version does not know: it must not be ignored.
        return Denied(DenialReason.STALE_REPLICA, key, secret)
    if key.revoked is not None or organization.suspended:
        return Denied(DenialReason.REVOKED_KEY, key, secret)

    ends = key.ends(organization)
    if ends is not None and now >= ends:
        return Denied(DenialReason.EXPIRED_KEY, key, secret)
    if secret.until is not None and now >= secret.until:
        return Denied(DenialReason.EXPIRED_KEY, key, secret)
    if key.networks and not within(address, key.networks):
        return Denied(DenialReason.ADDRESS_NOT_ALLOWED, key, secret)

    if need is None:
        return Denied(DenialReason.UNLISTED_OPERATION, key, secret, ends=ends)
    held = register.effective(key.held(now))
    used = need.satisfied(held)
    if used is None:
        return Denied(DenialReason.MISSING_PERMISSION, key, secret, need, need.missing(held, register), ends)
    return Allowed(key, secret, need, used, ends)
