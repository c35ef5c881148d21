"""How an application's table is read: as often as somebody asks for its rules, and once for all that is decided.

Permissions are looked up in the catalog that keys are granted from, and the table is compared with the applied one.
"""

import logging
import threading
from collections.abc import Callable
from typing import Generic, TypeVar

import msgspec

from scopekey.core.catalog import Catalog, UnknownPermissionError
from scopekey.core.requirement import Requirement
from scopekey.core.rules import Rule, Rules
from scopekey.enforce.keys import Keys
from scopekey.enforce.routes.table import RulesError, Table
from scopekey.wire.changes import rules_digest

_log = logging.getLogger("scopekey.enforce")

T = TypeVar("T", bound=Table)


class Reading(Generic[T]):
    """Reads the table of an application; its routes may still grow until it begins.

    `read` walks the routes, `begun` is told the table that is decided by.
    """

    def __init__(
        self, read: Callable[[], T], *, cors_preflight: bool, begun: Callable[[T], None] = lambda _: None
    ) -> None:
        self._read = read
        self._cors_preflight = cors_preflight
        self._begun = begun
        self._lock = threading.Lock()
        self._found: tuple[T, Rules] | RulesError | None = None

    def rules(self, catalog: Catalog | None = None) -> Rules:
        """The table as the routes are now; with a catalog, in its names. Raises RulesError with all that is wrong."""
        rules = self._read().rules(cors_preflight=self._cors_preflight)
        return rules if catalog is None else _known(rules, catalog)

    def begin(self, keys: Keys, *, applied: bool) -> tuple[T, Rules]:
        """The table that is decided by, and its rules: read by the first who asks, the same for everybody after.

        With `applied`, a warning says so where these are not the applied rules. Raises RulesError where there is
        something wrong with them, every time, and whatever walking the routes raises.
        """
        found = self._found
        if found is None:
            with self._lock:
                found = self._found = self._found or self._first(keys, applied=applied)
        if isinstance(found, RulesError):
            raise found
        return found

    def _first(self, keys: Keys, *, applied: bool) -> tuple[T, Rules] | RulesError:
        try:
            table = self._read()
            rules = _looked_up(table.rules(cors_preflight=self._cors_preflight), keys, applied=applied)
        except RulesError as error:
            _log.error("every request is refused: %s", error)
            return error
        self._begun(table)
        return table, rules


def _looked_up(rules: Rules, keys: Keys, *, applied: bool) -> Rules:
    """The same rules in the catalog's own names; as they are where the replica cannot be read yet.

    With `applied`, a warning says so where these are not the applied rules. Raises RulesError naming every
    unknown permission.
    """
    try:
        verifier = keys.verifier
        verifier.applied.matcher()
        register, of_store = verifier.register, verifier.index.rules()
    except Exception as error:  # noqa: BLE001 - the start goes on; requests are refused until it can be read
        _log.warning("the rules were not looked up: the replica cannot be read (%s)", type(error).__name__)
        return rules
    found = rules if register is None else _known(rules, register.catalog)
    if applied and (of_store is None or rules_digest(of_store) != rules_digest(found)):
        _log.warning(
            "the rules of this application are not the applied ones, so reach, whoami and the doors tell another "
            "story: write them with `scopekey rules from-app` and apply them, or pass applied=False"
        )
    return found


def _known(rules: Rules, catalog: Catalog) -> Rules:
    """The same rules in the catalog's own names. Raises RulesError naming every unknown permission."""
    faults: list[str] = []
    found = tuple(
        msgspec.structs.replace(rule, requirement=_requirement(rule, catalog, faults)) for rule in rules.rules
    )
    if faults:
        raise RulesError(dict.fromkeys(faults))
    return msgspec.structs.replace(rules, rules=found)


def _requirement(rule: Rule, catalog: Catalog, faults: list[str]) -> Requirement | None:
    if rule.requirement is None:
        return None
    try:
        return Requirement(
            tuple(tuple(catalog.permission(str(p)) for p in alternative) for alternative in rule.requirement.any_of)
        )
    except UnknownPermissionError as error:
        faults.append(f"{rule.operation}: {error}")
        return rule.requirement
