"""One node: the store, the replica of this machine, and the verifier over it, joined from settings.

The server, the command line on the home folder, and an application that embeds the control plane all
stand on this.
"""

import logging
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Self

from scopekey.audit.signing import signing_key_id
from scopekey.authority.actor import Caller
from scopekey.authority.apply_changes import catch_up
from scopekey.authority.catalog import apply_catalog, apply_rules
from scopekey.authority.follow_store import StoreFollower
from scopekey.authority.initialize import FEED_ID, PEPPER_ID, SIGNING_KEY_ID
from scopekey.authority.seal_log import LOG_ORIGIN, LogSealer
from scopekey.authority.take_decisions import take_batch
from scopekey.authority.unit_of_work import Authority
from scopekey.core.catalog import Catalog
from scopekey.core.ids import PepperId
from scopekey.core.rules import Rules
from scopekey.replica.carrier import Carrier
from scopekey.replica.clock import milliseconds
from scopekey.replica.file_journal import FileJournal
from scopekey.replica.freshness import FeedFreshness, Freshness, HomeFreshness
from scopekey.replica.leader import Leadership
from scopekey.replica.lmdb_file import DAMAGE
from scopekey.replica.lmdb_index import LmdbIndex
from scopekey.replica.record import DamagedRecordError
from scopekey.replica.verifier import Verifier
from scopekey.server.sealing import Sealing, log_sealer
from scopekey.settings import Settings
from scopekey.store.engine import LOCK_TIMEOUT, Store
from scopekey.store.errors import StoreError
from scopekey.wire.catalog_file import read_catalog
from scopekey.wire.changes import catalog_digest, rules_digest
from scopekey.wire.rules_file import read_rules

log: logging.Logger = logging.getLogger(__name__)


class StartRefusedError(RuntimeError):
    """This node must not start as it is set up; says what does not fit, and what to do."""


class Node:
    """What a process of the control plane works with. Close it, so that its journal is on the disk."""

    def __init__(
        self, settings: Settings, *, clock: Callable[[], int] = milliseconds, lock_timeout: int = LOCK_TIMEOUT
    ) -> None:
        """Join the parts; nothing is read yet but the pepper. Raises MissingSecretError, SchemaError."""
        peppers = settings.peppers()
        self.settings = settings
        self.missing_permission_status = settings.missing_permission_status
        self.store: Store = Store.open(settings.store_url, lock_timeout=lock_timeout)
        self.index: LmdbIndex = LmdbIndex(settings.replica_path, on_damage=self._mend)
        self.authority: Authority = Authority(
            self.store,
            self.index,
            settings.key_format,
            peppers[0],
            settings.default_lifetime,
            clock,
            count_reads=settings.audit_reads == "counted",
        )
        self.journal: FileJournal = FileJournal(
            settings.journal_path,
            settings.node_id,
            mode=settings.journal,
            limit=settings.journal_limit,
            clock=clock,
            begun=self._begun,
        )
        self._carrier = Carrier(settings.journal_path, self._take, node=settings.node_id)
        self._carries = False
        self._sealing: Sealing | None = None
        self._sealer: LogSealer | None = None
        self._peppers = {pepper.id: pepper for pepper in peppers}
        self.peppers_in_use: tuple[PepperId, ...] = (peppers[0].id,)
        """Those that live keys were digested with when this node was opened, and the current one."""
        self._clock = clock
        self._verifier: Verifier | None = None
        self._follower: StoreFollower | None = None
        self._mending = threading.Lock()
        self._mender: threading.Thread | None = None
        self._closed = False

    @classmethod
    def open(
        cls, settings: Settings, *, clock: Callable[[], int] = milliseconds, lock_timeout: int = LOCK_TIMEOUT
    ) -> Self:
        """Join the parts of an initialised deployment and bring the replica level.

        Raises StartRefusedError where pepper, signing key, catalog or rules do not fit the store's.
        """
        if settings.database_url is None and not (settings.home / "scopekey.db").exists():
            # Opening would make an empty one, which `init` would then take for a home folder.
            raise StartRefusedError(f"there is no store in {settings.home}: run `scopekey init` first")
        node = cls(settings, clock=clock, lock_timeout=lock_timeout)
        try:
            node._refuse_stranger()
            catch_up(node.store, node.index, clock=clock)
            node._take_files_on_a_sound_replica()
        except BaseException:
            node.close()
            raise
        return node

    @property
    def verifier(self) -> Verifier:
        """The verifier over this machine's replica."""
        if self._verifier is None:
            self._verifier = Verifier(
                self.index,
                key_format=self.settings.key_format,
                peppers=self._peppers,
                journal=self.journal,
                clock=self._clock,
                freshness=self._freshness(),
            )
        return self._verifier

    def follow(self) -> None:
        """Follow what other machines change in the same store, until `close`: for a process that goes on.

        A store in a file is only changed by this machine, and whoever commits there applies: nothing is started.
        """
        if self.store.shared and self._follower is None:
            lock = Leadership(self.settings.replica_path / "follower.lock")
            self._follower = StoreFollower(self.store, self.index, lock, clock=self._clock)
            self._follower.start()

    def carry(self) -> None:
        """Hand over what all processes of this home folder record, and seal it, where no other does; until `close`."""
        self._carries = True
        with suppress(OSError):
            # The lock by which one of them does it is in there, and what changes is sealed before anything is decided.
            self.settings.journal_path.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._carrier.start()
        self._sealer = None
        self._sealing = Sealing(self.settings, self.seal, self.store, leads=self._leads, clock=self._clock)
        self._sealing.start()

    def seal(self) -> int:
        """Number and seal what arrived; gives how many entries. Raises StoreUnavailableError, MissingSecretError."""
        if self._sealer is None:
            self._sealer = log_sealer(self.settings, self.store, self._clock)
        return self._sealer()

    def close(self) -> None:
        """End the journal, hand over what nobody else does, and let go of store and replica."""
        if self._follower is not None:
            self._follower.stop()
        if self._sealing is not None:
            self._sealing.stop()
        self.hand_over()
        if self._sealing is not None:
            self.seal_last()
        with self._mending:
            self._closed, mender = True, self._mender
        if mender is not None:
            # LMDB must not be closed under a thread that writes.
            mender.join()
        self.index.close()
        self.store.close()

    def hand_over(self) -> None:
        """End the journal, and hand over what is there for a few seconds, unless another process does."""
        used = self.journal.used
        self.journal.close()
        if used or self._carries:
            self._carrier.stop()

    def seal_last(self) -> None:
        """Seal what arrived, where that can be done now; else it waits in the store, for whoever comes next."""
        try:
            self.seal()
        except Exception as error:  # noqa: BLE001 - nothing is lost by it
            said = str(error) if isinstance(error, StoreError) else type(error).__name__
            log.warning("what arrived last is not sealed yet: %s", said)

    def _leads(self) -> bool:
        return self._carrier.leads

    def _take(self, batch: bytes) -> int:
        return take_batch(self.store, batch, clock=self._clock, count=self.authority.count_reads)

    def _begun(self) -> None:
        # In a child after a fork no thread came along.
        if self._carries:
            self.carry()

    def _freshness(self) -> Freshness:
        stale, refuse = self.settings.stale_after, self.settings.refuse_after
        if self.store.shared:
            return FeedFreshness(self.index.level, stale_after=stale, refuse_after=refuse, look=self._look)
        return HomeFreshness(self.index.behind_since, stale_after=stale, refuse_after=refuse)

    def _look(self) -> None:
        """What is done about once a second where checks are asked for."""
        self.index.look()
        if self._follower is not None:
            self._follower.renew()

    def _mend(self, damage: str) -> None:
        """Say what is damaged, and build the replica again: beside the thread that found it, which has to answer."""
        log.error("%s", damage)
        with self._mending:
            # Setting a damaged file aside says so too: that is the mending itself.
            if not self._closed and (self._mender is None or not self._mender.is_alive()):
                self._mender = threading.Thread(target=self._rebuild, name="scopekey-mend", daemon=True)
                self._mender.start()

    def _rebuild(self) -> None:
        try:
            catch_up(self.store, self.index, clock=self._clock)
        except Exception:  # noqa: BLE001 - until it succeeds, checks are refused; the next change tries again
            log.warning("the replica could not be built again yet")

    def _refuse_stranger(self) -> None:
        """Another pepper than the store's would make every key unknown; another signing key, another log."""
        with self.store.reading() as tx:
            if tx.meta.get(FEED_ID) is None:
                raise StartRefusedError("the store was never initialised; run `scopekey init` first")
            pepper, signer = tx.meta.get(PEPPER_ID), tx.meta.get(SIGNING_KEY_ID)
            used, origin = tx.keys.pepper_counts(self._clock()), tx.meta.get(LOG_ORIGIN)
        if pepper != self.authority.pepper.id:
            raise StartRefusedError(
                f"the pepper here has the id {self.authority.pepper.id}, the store's is {pepper}: "
                "copy the pepper of the node that was there first"
            )
        self.peppers_in_use = tuple(sorted({self.authority.pepper.id, *used}))
        lacking = sorted(set(used) - set(self._peppers))
        if lacking:
            raise StartRefusedError(
                f"live keys were digested with the pepper {', '.join(lacking)}, which is not here: "
                "keep it beside the current one until its last secret is gone"
            )
        if self.settings.log_origin is not None and origin not in {None, self.settings.log_origin}:
            raise StartRefusedError(
                f"the log of this store is called {origin}, and SCOPEKEY_LOG_ORIGIN says {self.settings.log_origin}: "
                "its name stands in everything that was signed and cannot change; unset it, or set the log's own"
            )
        if signer != signing_key_id(self.settings.signing_seed()):
            raise StartRefusedError(
                "the signing key here is not the store's: copy the one of the node that was there first"
            )

    def _take_files_on_a_sound_replica(self) -> None:
        """The same, on a replica that is built again first where it is found damaged."""
        try:
            self._take_files()
        except (DamagedRecordError, *DAMAGE):
            # Whoever found it has set it aside.
            catch_up(self.store, self.index, clock=self._clock)
            self._take_files()

    def _take_files(self) -> None:
        """Take catalog and rules from their files where the store has none; refuse where they differ."""
        register = self.verifier.index.register()
        if register is None:
            raise StartRefusedError("the store holds no catalog: it was never initialised; run `scopekey init`")
        if self.settings.catalog is not None:
            self._take_catalog(read_catalog(self.settings.catalog.read_text("utf-8"), str(self.settings.catalog)))
        if self.settings.rules is not None:
            catalog = (self.index.register() or register).catalog
            self._take_rules(read_rules(self.settings.rules.read_text("utf-8"), str(self.settings.rules), catalog))

    def _take_catalog(self, catalog: Catalog) -> None:
        register = self.index.register()
        if register is None or not register.catalog.resources:
            apply_catalog(self.authority, Caller.machine(), catalog)
        elif catalog_digest(register.catalog) != catalog_digest(catalog):
            raise StartRefusedError(
                f"{self.settings.catalog} is not the applied catalog; look at it with `scopekey catalog show`, "
                f"and apply it with `scopekey catalog apply {self.settings.catalog}`"
            )

    def _take_rules(self, rules: Rules) -> None:
        present = self.index.rules()
        if present is None or not present.rules:
            apply_rules(self.authority, Caller.machine(), rules)
        elif rules_digest(present) != rules_digest(rules):
            raise StartRefusedError(
                f"{self.settings.rules} are not the applied rules; apply them with "
                f"`scopekey rules apply {self.settings.rules}`"
            )
