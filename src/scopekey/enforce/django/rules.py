"""The rules of a URLconf: for whoever applies them, and for the middleware, which reads them at its first request."""

import logging
import threading
from collections.abc import Mapping
from typing import Any

from django.urls import get_resolver

from scopekey.core.catalog import Catalog
from scopekey.core.rules import Rules
from scopekey.enforce.django.declare import Declared
from scopekey.enforce.django.options import Options
from scopekey.enforce.django.table import RoutesTable
from scopekey.enforce.keys import Keys
from scopekey.enforce.routes.lookup import known, looked_up
from scopekey.enforce.routes.table import RulesError

_log = logging.getLogger("scopekey.enforce")


def rules_of(
    urlconf: Any = None,
    catalog: Catalog | None = None,
    *,
    mounts: Mapping[str, Declared] | None = None,
    cors_preflight: bool | None = None,
) -> Rules:
    """Give the table that the middleware would build of a URLconf, None for `ROOT_URLCONF`.

    `mounts` and `cors_preflight` are those of the setting `SCOPEKEY` unless given. With a catalog, permissions are
    looked up in it, aliases included. Raises RulesError with everything that is wrong.
    """
    options = Options.read()
    table = RoutesTable(get_resolver(urlconf), options.mounts if mounts is None else mounts)
    rules = table.rules(cors_preflight=options.cors_preflight if cors_preflight is None else cors_preflight)
    return rules if catalog is None else known(rules, catalog)


class Reading:
    """Reads the table once, for all threads; where it has faults, that is what every later reading finds."""

    def __init__(self, options: Options, keys: Keys) -> None:
        self._options = options
        self._keys = keys
        self._lock = threading.Lock()
        self._read: tuple[RoutesTable, Rules] | RulesError | None = None

    def table(self) -> tuple[RoutesTable, Rules]:
        """The table and its rules. Raises RulesError, and whatever the import of the URLconf raises."""
        found = self._read
        if found is None:
            with self._lock:
                found = self._read = self._read or self._fresh()
        if isinstance(found, RulesError):
            raise found
        return found

    def _fresh(self) -> tuple[RoutesTable, Rules] | RulesError:
        try:
            table = RoutesTable(get_resolver(), self._options.mounts)
            rules = table.rules(cors_preflight=self._options.cors_preflight)
            return table, looked_up(rules, self._keys, applied=self._options.applied)
        except RulesError as error:
            _log.error("every request is refused: %s", error)
            return error
