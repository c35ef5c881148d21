"""One unit of work: the rows, their change and the audit entry are committed together, or none is.

Around the commit stands the promise of revocation: the replica is told before that something is
coming, and has it before the caller gets an answer.
"""

import logging
import secrets
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, NamedTuple

import msgspec

from scopekey.audit.entry import NONCE_SIZE, Entry, canonical
from scopekey.authority.actor import Actor, Caller
from scopekey.authority.apply_changes import Committed, catch_up, moment
from scopekey.core.change import MARK_SIZE, Change, State
from scopekey.core.digest import Pepper
from scopekey.core.grant import Register
from scopekey.core.ids import KeyId, OrganizationId, is_key_id, is_organization_id
from scopekey.core.key import Key
from scopekey.core.keyformat import KeyFormat
from scopekey.core.organization import Organization
from scopekey.core.problem import ProblemError
from scopekey.core.rules import Rules
from scopekey.replica.clock import milliseconds
from scopekey.replica.index import Index, Place
from scopekey.store.engine import Store
from scopekey.store.transaction import Transaction
from scopekey.wire.changes import kind_of

log: logging.Logger = logging.getLogger(__name__)


class Authority(msgspec.Struct, frozen=True):
    """What the control plane's operations work with. Clock and randomness are given, for tests."""

    store: Store
    index: Index
    key_format: KeyFormat
    pepper: Pepper
    default_lifetime: int
    clock: Callable[[], int] = milliseconds
    random: Callable[[int], bytes] = secrets.token_bytes
    count_reads: bool = False
    """Whether allowed reads that are alike become one entry of the log."""

    @contextmanager
    def changing(
        self, caller: Caller, needs: str | None = None, *, key: str | None = None, alone: bool = False
    ) -> "Iterator[UnitOfWork]":
        """Change something: everything done inside is committed and applied, or nothing is.

        `needs` is the permission that the caller must hold for it, `key` the id of the key that is to be
        changed, where it is one. Calls with the same key go on side by side, but where it acts `alone`. The
        place that was reached stands in the unit's `place` afterwards.
        """
        token = self.random(MARK_SIZE)
        self.index.pend(token, self.clock())
        try:
            with self.store.writing() as tx:
                work = UnitOfWork(self, tx, caller, needs, holding=_Holding(key, alone))
                yield work
                own = work.finish()
        except BaseException:
            self._settle(token)
            raise
        work.place = self._apply(token, own)

    def _apply(self, token: bytes, own: Committed | None) -> Place:
        """Apply what was committed. Raises ProblemError `unavailable`, which says that the change is there."""
        try:
            return catch_up(self.store, self.index, settle=token, own=own, clock=self.clock)
        except Exception as error:
            log.warning("the replica could not take over a change that is committed; it will count as behind")
            raise ProblemError(
                "unavailable",
                "The change was made, but this node could not take it over: until it has, its answers count as "
                "out of date. Look at the present state before you repeat the call.",
            ) from error

    def _settle(self, token: bytes) -> None:
        """Apply whatever is there after a failure.

        Where the commit's answer was lost nobody knows whether it happened: reading what is there
        settles it. If even that fails the mark stays, and the replica counts as behind.
        """
        try:
            catch_up(self.store, self.index, settle=token, clock=self.clock)
        except Exception:  # noqa: BLE001 - whatever it was, the first failure is the one to tell
            log.warning("the replica could not be brought level after a failed change; it will count as behind")

    @contextmanager
    def looking(self, caller: Caller, needs: str | None = None) -> "Iterator[UnitOfWork]":
        """Look at one consistent state; nothing can be changed."""
        with self.store.reading() as tx:
            yield UnitOfWork(self, tx, caller, needs)


class _Holding(NamedTuple):
    """What a change holds besides the key that acts: the key it is about; and whether it acts alone."""

    key: str | None
    alone: bool


class _Done(msgspec.Struct, frozen=True):
    """One change that was made: what is announced on the feed, and what the entry says."""

    kind: str
    subject: str
    state: State
    entry: dict[str, Any]


class UnitOfWork:
    """One transaction, who acts in it, and what it announces."""

    def __init__(
        self,
        authority: Authority,
        tx: Transaction,
        caller: Caller,
        needs: str | None,
        *,
        holding: _Holding | None = None,
    ) -> None:
        self.tx = tx
        self.now: int = authority.clock()
        self.caller = caller
        self.register: Register = applied_register(tx)
        self.owner: Organization | None = None
        self.actor: Actor = self._confirm(caller, holding)
        self.place: Place | None = None
        self._authority = authority
        self._done: list[_Done] = []
        if needs is not None:
            self.require(needs)

    def change(
        self,
        state: State,
        action: str,
        *,
        organization: str | None,
        before: Mapping[str, Any] | None = None,
        after: Mapping[str, Any] | None = None,
    ) -> None:
        """Say what was changed, the state as it was written: one line on the feed, one entry in the log.

        Where there is a before and an after, what both say alike is left out: a key with much to say
        must always be small enough to be logged once more, or it could not be revoked.
        """
        kind = kind_of(state)
        subject = state.id if isinstance(state, Key | Organization) else kind
        if before and after:
            before, after = _differing(before, after), _differing(after, before)
        entry = {
            "action": action,
            "organization": organization,
            "key": subject if kind == "key" else None,
            "object": subject,
            "before": dict(before) if before else None,
            "after": dict(after) if after else None,
        }
        self._done.append(_Done(kind, subject, state, entry))

    def finish(self) -> Committed | None:
        """Take the positions, last of all, and write the entries that name them. Gives what is to be applied."""
        if not self._done:
            return None
        before = Place(*self.tx.changes.hold())
        # From here to the commit nobody else can announce: at this moment there is nothing newer.
        at = moment(self._authority.clock)
        subjects = [(done.kind, done.subject) for done in self._done]
        marks = [self._authority.random(MARK_SIZE) for _ in self._done]
        positions = self.tx.changes.announce(subjects, marks, self.now)
        entries = [self._entry(done, position) for done, position in zip(self._done, positions, strict=True)]
        self.tx.entries.append([_written(entry) for entry in entries])
        return Committed(before, list(map(Change, positions, marks, (done.state for done in self._done))), at)

    def organization(self, organization_id: OrganizationId, *, lock: bool = False) -> Organization:
        """Find an organization that exists for the actor. Raises ProblemError `not_found`."""
        found = self.tx.organizations.get(organization_id, lock=lock) if is_organization_id(organization_id) else None
        if found is None or not self.actor.sees(found.id):
            raise ProblemError("not_found", "There is no organization with that id.")
        return found

    def rules(self) -> Rules:
        """The applied rules."""
        document = self.tx.documents.state("rules")
        return document if isinstance(document, Rules) else Rules()

    def _entry(self, done: _Done, position: int) -> Entry:
        return Entry(
            nonce=self._authority.random(NONCE_SIZE).hex(),
            at=self.now,
            kind="change",
            actor=self.actor.who,
            request_id=self.caller.request_id,
            address=self.caller.address,
            position=position,
            **done.entry,
        )

    def _confirm(self, caller: Caller, holding: _Holding | None) -> Actor:
        """Look up what the caller holds now: it may have been narrowed or revoked since it was checked."""
        if caller.kind == "machine":
            return Actor.machine(caller)
        # Nobody else can act yet: a person or a policy must not be taken for the machine.
        acting = self._acting(KeyId(caller.id), holding) if caller.kind == "key" else None
        if acting is None or acting[0].revoked is not None or acting[1].suspended:
            raise ProblemError("revoked_key", "The calling key was revoked.")
        key, self.owner = acting
        ends = key.ends(self.owner)
        if ends is not None and self.now >= ends:
            raise ProblemError("expired_key", "The calling key has ended.")
        return Actor.of_key(key, self.owner, self.register, self.now)

    def _acting(self, caller: KeyId, holding: _Holding | None) -> tuple[Key, Organization] | None:
        if holding is None:
            return self.tx.keys.acting(caller)
        # In the order of their ids: of two keys that change each other at once, one waits for the other. Who
        # changes itself must be alone from the start: two that share it would both wait to have it alone.
        key, itself = holding.key, holding.key == caller
        if key is not None and key < caller and is_key_id(key):
            self.tx.keys.hold(KeyId(key))
        return self.tx.keys.acting(caller, lock=True, alone=holding.alone or itself)

    def require(self, needs: str) -> None:
        """Refuse unless the actor holds a permission. Raises ProblemError `missing_permission`."""
        permission = self.register.catalog.permission(needs)
        if self.register.mask((permission,)) & ~self.actor.held:
            raise ProblemError(
                "missing_permission", f"The calling key does not hold {permission}.", missing=[str(permission)]
            )


def _differing(state: Mapping[str, Any], other: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in state.items() if name not in other or other[name] != value}


def _written(entry: Entry) -> bytes:
    try:
        return canonical(entry)
    except ValueError:
        raise ProblemError(
            "too_large", "The change is too large for one entry of the audit log. Change less at once."
        ) from None


def applied_register(tx: Transaction) -> Register:
    """The applied catalog with its bits. Raises ProblemError `unavailable` before there is one."""
    state = tx.documents.state("catalog")
    if not isinstance(state, Register):
        raise ProblemError("unavailable", "The store holds no catalog: it was never initialised.")
    return state
