"""What happened at one request: the decision and everything around it. The journal keeps these."""

import msgspec

from scopekey.core.decision import Decision, DenialReason
from scopekey.core.grant import Register
from scopekey.core.matcher import Match


class Event(msgspec.Struct, frozen=True, gc=False):
    """One request as it was decided. `proceeds` is what an adapter acts on.

    `position` and `age` are those of the replica it was decided on; `age` is in milliseconds.
    """

    decision: Decision
    at: int
    request_id: str
    register: Register | None
    match: Match | None = None
    operation: str | None = None
    object: str | None = None
    address: str | None = None
    position: int = 0
    age: int = 0
    stale: bool = False

    @property
    def reported(self) -> bool:
        """Tell whether a missing permission was forgiven because its rule only reports."""
        return (
            self.match is not None
            and self.match.report
            and not self.decision
            and self.decision.reason is DenialReason.MISSING_PERMISSION
        )

    @property
    def proceeds(self) -> bool:
        """Tell whether the request goes on: allowed, or forgiven."""
        return bool(self.decision) or self.reported

    @property
    def genuine(self) -> bool:
        """Tell whether a key's secret matched: only these are recorded one by one."""
        return self.decision.key is not None
