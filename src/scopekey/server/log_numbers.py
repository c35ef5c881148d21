"""What the metrics tell of the audit log, read from the store."""

from scopekey.enforce.doors.metrics import LogNumbers
from scopekey.store.engine import Store


def log_numbers(store: Store) -> LogNumbers:
    """The log as it is now. Raises StoreUnavailableError."""
    with store.reading() as tx:
        newest = tx.log.checkpoint()
        return LogNumbers(tx.log.state().size, tx.log.waiting(), newest.at if newest else None)
