"""A decision step by step: each thing that was asked, what was found, and whether it stood in the way."""

import msgspec

from scopekey.core.decide import decide
from scopekey.core.grant import Register
from scopekey.core.key import Key, Secret
from scopekey.core.matcher import Match, Matcher
from scopekey.core.network import parse_address
from scopekey.core.organization import Organization
from scopekey.core.requirement import Need
from scopekey.core.target import UnreadableTarget, read_target


class Step(msgspec.Struct, frozen=True):
    """One question on the way to a decision; `passed` is None where it only tells."""

    question: str
    found: str
    passed: bool | None = None


def explain_call(matcher: Matcher, method: str, raw_target: bytes) -> tuple[tuple[Step, ...], Match | None]:
    """Say how a request is read and which rule decides it; no match where nothing does."""
    target = read_target(raw_target)
    if isinstance(target, UnreadableTarget):
        return (Step("target", f"unreadable: {target.why}", passed=False),), None
    read = Step("target", f"{method} {target.path}, read in one way only", passed=True)
    match = matcher.match(method, target.segments)
    if match is None:
        return (read, Step("rule", "no rule lists this operation: it is refused for every key", passed=False)), None
    steps = [read, Step("rule", str(match.operation), passed=True), Step("requires", requirement_words(match.need))]
    if match.object is not None:
        steps.append(Step("object", f"{match.object} = {match.object_of(target.segments)}"))
    if match.report:
        steps.append(Step("mode", "report: a missing permission is forgiven and recorded"))
    return tuple(steps), match


def explain_key(
    key: Key,
    organization: Organization | None,
    need: Need | None,
    *,
    register: Register,
    now: int,
    address: str | None,
    secret: Secret | None = None,
) -> tuple[Step, ...]:
    """Say what a key is at a moment, and what that means for a need.

    Without `secret` the question is about the key itself, whichever of its secrets is sent.
    """
    ends = key.ends(organization) if organization else None
    suspended = organization is None or organization.suspended
    held = register.effective(key.held(now))
    decision = decide(
        key,
        # Asked about the key itself, the end of one secret's overlap is beside the point.
        secret or msgspec.structs.replace(key.secrets[0], until=None),
        organization,
        need,
        register=register,
        now=now,
        address=parse_address(address) if address else None,
    )
    steps = [
        Step("key", f"{key.id}, {key.environment}, of {key.organization}", passed=True),
        Step("revoked", "no" if key.revoked is None else "yes", passed=key.revoked is None),
        Step("organization", "suspended" if suspended else "active", passed=not suspended),
        Step("ends", _end_words(ends, now), passed=ends is None or now < ends),
        Step("networks", ", ".join(map(str, key.networks)) or "any"),
        Step("holds", ", ".join(register.names(held)) or "nothing"),
    ]
    if need is not None:
        missing = need.missing(held, register) if need.satisfied(held) is None else ()
        steps.append(
            Step("missing", ", ".join(map(str, missing)) or "nothing", passed=need.satisfied(held) is not None)
        )
    verdict = "allowed" if decision else f"denied: {getattr(decision, 'reason', '')}"
    return (*steps, Step("decision", verdict, passed=bool(decision)))


def requirement_words(need: Need | None) -> str:
    """A requirement for people: `datasets:read and queries:write, or admin:write`."""
    if need is None:
        return "nothing: it is public"
    if not need.requirement.any_of:
        return "more than any key can hold: it is closed to all"
    alternatives = [" and ".join(names) for names in need.requirement.names()]
    return ", or ".join(alternatives) if any(alternatives) else "any live key"


def _end_words(ends: int | None, now: int) -> str:
    if ends is None:
        return "never"
    days, rest = divmod(abs(ends - now), 86_400_000)
    span = f"{days} days" if days else f"{rest // 60_000} minutes"
    return f"{span} ago" if now >= ends else f"in {span}"
