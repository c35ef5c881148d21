"""The edge of the store: what the database and its driver raise becomes one of our errors here.

The driver's own words are dropped: they may hold a statement, its parameters or a whole row.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.exc import DataError, DBAPIError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from scopekey.store.dialect import is_duplicate, is_unavailable
from scopekey.store.errors import DuplicateError, StoreError, StoreUnavailableError
from scopekey.store.tables import InvalidValueError


@contextmanager
def translated() -> Iterator[None]:
    """Raise StoreError, or ValueError for what cannot be stored, instead of the database's errors."""
    try:
        yield
    except SQLAlchemyError as error:
        raise _translate(error) from None


def _translate(error: SQLAlchemyError) -> StoreError | ValueError:
    if isinstance(error, PoolTimeoutError):
        return StoreUnavailableError("the database is unavailable: all its connections are busy")
    if not isinstance(error, DBAPIError):
        return StoreError(f"the database could not be asked ({type(error).__name__})")
    name = _name(error)
    if is_duplicate(error):
        return DuplicateError("there is already a row of that name")
    if is_unavailable(error):
        return StoreUnavailableError(f"the database is unavailable ({name})")
    if isinstance(error, DataError):
        return InvalidValueError(f"the database cannot keep a value ({name})")
    return StoreError(f"the database refused a statement ({name})")


def _name(error: DBAPIError) -> str:
    """Name a fault by its code: SQLITE_FULL, or PostgreSQL's five letters."""
    orig = error.orig
    code = getattr(orig, "sqlite_errorname", None) or getattr(orig, "sqlstate", None)
    return str(code or type(orig).__name__)
