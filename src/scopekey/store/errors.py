"""What a store can fail with. No message holds SQL, its parameters, or anything that was stored."""


class StoreError(Exception):
    """The store could not do what it was asked."""


class StoreUnavailableError(StoreError):
    """The database cannot be used now: locked too long, full, read-only, damaged or not reachable.

    Nothing was half-written. Where the connection broke during the commit itself, it may have happened.
    """


class SchemaError(StoreError):
    """The tables are older or newer than this version of Scopekey; the message says what to do."""


class DuplicateError(StoreError):
    """There is already one of that name."""


class VersionConflictError(StoreError):
    """Somebody else changed it since it was read, or it is gone."""


class AnotherHistoryError(StoreError):
    """The place is not in this store's history, or no longer kept: only a snapshot helps."""
