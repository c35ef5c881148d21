"""When a key ends: from what was asked, the organization's policy and the creator's own end."""

from scopekey.authority.actor import Actor
from scopekey.core.organization import Organization
from scopekey.core.problem import ProblemError
from scopekey.wire.resources import Lifetime
from scopekey.wire.times import LONGEST, parse_duration, print_duration, to_millis


def asked_end(asked: Lifetime, now: int) -> int | None:
    """The end that was asked for, in milliseconds. Raises ProblemError where it has passed already.

    None both for `never_expires` and for nothing asked.
    """
    if asked.expires_at is not None:
        end = to_millis(asked.expires_at)
    elif asked.expires_in is not None:
        end = now + parse_duration(asked.expires_in)
    else:
        return None
    field = "expires_at" if asked.expires_at is not None else "expires_in"
    if end <= now:
        raise ProblemError("invalid_request", f"`{field}` has passed already: choose a later end.", field=field)
    if end > now + LONGEST:
        raise ProblemError("invalid_request", f"`{field}` is more than a hundred years away.", field=field)
    return end


def default_end(actor: Actor, organization: Organization, now: int, default_lifetime: int) -> int:
    """The end of a key made without one: the earliest of the default, the cap and the creator's own end."""
    cap = organization.policy.max_key_age
    ends = [now + default_lifetime]
    if cap is not None:
        ends.append(now + cap)
    if actor.ends is not None:
        ends.append(actor.ends)
    return min(ends)


def refuse_beyond_policy(asked: Lifetime, end: int | None, created: int, organization: Organization) -> None:
    """Refuse an end that the organization's policy does not allow. Raises ProblemError `invalid_request`."""
    policy = organization.policy
    if asked.never_expires and not policy.never_expires:
        raise ProblemError(
            "invalid_request",
            "The organization's policy wants every key to end: send `expires_in` or `expires_at`.",
            field="never_expires",
        )
    if end is not None and policy.max_key_age is not None and end > created + policy.max_key_age:
        raise ProblemError(
            "invalid_request",
            f"The organization's policy lets a key live {print_duration(policy.max_key_age)} from its creation: "
            "choose an earlier end.",
            field="expires_at" if asked.expires_at is not None else "expires_in",
        )
