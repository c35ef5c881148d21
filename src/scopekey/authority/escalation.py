"""Rule 6: a key can grant only what it holds.

To create, widen, rotate or renew a key, the caller's permissions, environment, networks and end must
cover the key's, before and after, and another organization's takes the permission to manage
organizations. Narrowing and revoking take nothing from anybody's hands, and need
only the permission to manage keys.
"""

from scopekey.authority.actor import Actor
from scopekey.core.grant import Register
from scopekey.core.key import Key
from scopekey.core.network import covers
from scopekey.core.organization import Organization
from scopekey.core.problem import ProblemError

FOREIGN = "scopekey_organizations:write"
"""What a key of the operator needs to hand out power in another organization."""


def refuse_escalation(actor: Actor, key: Key, organization: Organization, register: Register) -> None:
    """Refuse unless the actor covers the whole key. Raises ProblemError `exceeds_caller`, saying by what."""
    beyond = register.effective(key.grant) & ~actor.held
    if beyond:
        names = list(register.names(beyond))
        raise ProblemError(
            "exceeds_caller",
            f"The key would hold what the caller does not: {', '.join(names)}. "
            "Leave it out, or ask somebody whose key holds it.",
            permissions=names,
        )
    if actor.organization not in {None, organization.id} and not actor.held & register.parse((FOREIGN,)):
        raise ProblemError("exceeds_caller", f"The key is of another organization: only a key with {FOREIGN} may.")
    if actor.environment is not None and actor.environment != key.environment:
        raise ProblemError(
            "exceeds_caller",
            f"A key of the environment {actor.environment!r} cannot manage one of {key.environment!r}. "
            "Use a key of that environment.",
            environment=key.environment,
        )
    if not covers(actor.networks, key.networks):
        raise ProblemError(
            "exceeds_caller",
            "The key would work from networks the caller may not use. Set `allowed_networks` within the caller's own.",
        )
    ends = key.ends(organization)
    if actor.ends is not None and (ends is None or ends > actor.ends):
        raise ProblemError(
            "exceeds_caller", "The key would outlive the caller. Choose an end that is not after the caller's own."
        )


def widens(before: Key, after: Key, organization: Organization, register: Register) -> bool:
    """Tell whether a key could do anything after that it could not before."""
    more = register.effective(after.grant) & ~register.effective(before.grant)
    longer = _end(after, organization) > _end(before, organization)
    return bool(more) or longer or not covers(before.networks, after.networks)


def _end(key: Key, organization: Organization) -> float:
    ends = key.ends(organization)
    return float("inf") if ends is None else ends
