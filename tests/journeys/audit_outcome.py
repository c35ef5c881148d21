"""What became of acknowledged decisions: each is looked for in the sealed log, which is verified from its entries."""

from collections import Counter
from typing import Any, NamedTuple

from scopekey.audit.entry import read_entry
from scopekey.audit.verify import Broken, Intact, verify_log
from scopekey.authority.seal_log import LogSealer, log_key
from scopekey.authority.take_decisions import take_batch
from scopekey.replica.carrier import Carrier
from scopekey.settings import Settings
from scopekey.store.engine import Store
from scopekey.store.store_log import StoreLog

SETTLE_WITHIN = 60.0


class Outcome(NamedTuple):
    """Request ids that are not in the log, and those that are there more than once. The log itself has a `verdict`."""

    acknowledged: int
    missing: list[str]
    twice: list[str]
    size: int
    cuts: int
    verdict: Intact | Broken

    @property
    def holds(self) -> bool:
        """Whether each decision is there once, in a log that nobody changed."""
        return not self.missing and not self.twice and bool(self.verdict)


def settle(settings: Settings, *elsewhere: Settings) -> None:
    """Hand over and seal all that is there, as the next process would that starts; of other home folders too."""
    store = Store.open(settings.store_url)
    try:
        for home in (settings, *elsewhere):
            carrier = Carrier(home.journal_path, lambda batch: take_batch(store, batch), node=home.node_id)
            carrier.stop(SETTLE_WITHIN)
        LogSealer(store, seed=settings.signing_seed())()
    finally:
        store.close()


def look(settings: Settings, acknowledged: Any) -> Outcome:
    """Look for every request id in the log, as it is sealed by now."""
    store = Store.open(settings.store_url)
    try:
        with store.reading() as tx:
            verdict = verify_log(StoreLog(tx), log_key(tx, settings.signing_seed()))
            size = tx.log.state().size
            entries = [read_entry(body) for body in tx.log.bodies(0, size)]
    finally:
        store.close()
    found = Counter(entry.request_id for entry in entries if entry.kind == "decision" and entry.request_id)
    asked = set(acknowledged)
    return Outcome(
        len(asked),
        sorted(asked - found.keys()),
        sorted(name for name, times in found.items() if times > 1),
        size,
        sum(entry.action == "journal.cut" for entry in entries),
        verdict,
    )
