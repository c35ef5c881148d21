"""What a key can call, and what it is: the questions a key owner asks first."""

from collections.abc import Sequence

from scopekey.authority.actor import Caller
from scopekey.authority.find_key import LOOK, find_key
from scopekey.authority.key_answer import key_answer
from scopekey.authority.permissions import known
from scopekey.authority.unit_of_work import Authority, UnitOfWork
from scopekey.core.reach import reach
from scopekey.wire.resources import ReachAnswer, WhoamiAnswer


def reach_key(
    authority: Authority, caller: Caller, key_id: str, *, without: Sequence[str] = (), with_: Sequence[str] = ()
) -> ReachAnswer:
    """List what a key opens under the applied rules; `without` and `with_` change the grant for the question."""
    with authority.looking(caller, needs=LOOK) as work:
        row, _ = find_key(work, key_id)
        grant = row.key.held(work.now)
        grant &= ~work.register.mask(known(work.register, name) for name in without)
        grant |= work.register.mask(known(work.register, name) for name in with_)
        return _reach(work, grant)


def whoami(authority: Authority, caller: Caller) -> WhoamiAnswer:
    """Tell the calling key what it is, holds and can reach."""
    with authority.looking(caller) as work:
        row, organization = find_key(work, caller.id)
        return WhoamiAnswer(
            key=key_answer(row, organization, work.register, work.now),
            organization=organization.name,
            reach=_reach(work, row.key.held(work.now)),
        )


def _reach(work: UnitOfWork, grant: int) -> ReachAnswer:
    found = reach(work.rules(), work.register, grant)
    return ReachAnswer(
        permissions=list(work.register.names(grant)),
        open=[str(operation) for operation in found.open],
        public=[str(operation) for operation in found.public],
        closed_count=len(found.closed),
    )
