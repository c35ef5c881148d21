"""One decision as a test reads it, and as it is shown where an assertion fails."""

from dataclasses import dataclass

from scopekey.core.decision import Allowed
from scopekey.replica.event import Event


@dataclass(frozen=True, repr=False)
class Decided:
    """What was decided about one call; its text is one line that says all of it.

    `operation` is the rule's (`GET /datasets/{id}`), the method alone where none matched, empty for a check of
    permissions; `code` is empty where the call was allowed, else the problem's. `used` are the permissions of
    the alternative that was met, `missing` those that were lacking, `holds` all of the key; `key_id` is None where no
    key was looked at or none fitted. `reported` tells that a rule in report-only mode let the call through all the
    same. All of it comes from `event`, which is the record.
    """

    operation: str
    allowed: bool
    code: str
    used: tuple[str, ...]
    missing: tuple[str, ...]
    holds: tuple[str, ...]
    key_id: str | None
    object: str | None
    reported: bool
    event: Event

    @classmethod
    def of(cls, event: Event) -> "Decided":
        """Read a record."""
        decision, key, register = event.decision, event.decision.key, event.register
        allowed = isinstance(decision, Allowed)
        met = decision.need.requirement.any_of[decision.used] if isinstance(decision, Allowed) and decision.need else ()
        return cls(
            operation=event.operation or "",
            allowed=allowed,
            code="" if isinstance(decision, Allowed) else decision.reason.value,
            used=tuple(map(str, met)),
            missing=() if isinstance(decision, Allowed) else tuple(map(str, decision.missing)),
            holds=tuple(register.names(key.held(event.at))) if key and register else (),
            key_id=key.id if key else None,
            object=event.object,
            reported=event.reported,
            event=event,
        )

    def __str__(self) -> str:
        what = (self.operation or "a check") + (f" ({self.object})" if self.object else "")
        if self.allowed:
            how = f"allowed, used {_list(self.used)}" if self.key_id else "allowed, public"
        else:
            why = f"missing {_list(self.missing)}" if self.missing else self.code
            how = f"{'let through by report-only' if self.reported else 'refused'}, {why}"
        whose = f"; {self.key_id} holds {_list(self.holds)}" if self.key_id else ""
        return f"{what}: {how}{whose}"

    def __repr__(self) -> str:
        return f"<{self}>"


def _list(names: tuple[str, ...]) -> str:
    return ", ".join(names) or "nothing"
