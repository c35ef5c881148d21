"""The permissions of a table, looked up in the catalog that keys are granted from; the table beside the applied one."""

import logging

import msgspec

from scopekey.core.catalog import Catalog, UnknownPermissionError
from scopekey.core.requirement import Requirement
from scopekey.core.rules import Rule, Rules
from scopekey.enforce.keys import Keys
from scopekey.enforce.routes.table import RulesError
from scopekey.wire.changes import rules_digest

_log = logging.getLogger("scopekey.enforce")


def looked_up(rules: Rules, keys: Keys, *, applied: bool) -> Rules:
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
    found = rules if register is None else known(rules, register.catalog)
    if applied and (of_store is None or rules_digest(of_store) != rules_digest(found)):
        _log.warning(
            "the rules of this application are not the applied ones, so reach, whoami and the doors tell another "
            "story: write them with `scopekey rules from-app` and apply them, or pass applied=False"
        )
    return found


def known(rules: Rules, catalog: Catalog) -> Rules:
    """The same rules in the catalog's own names. Raises RulesError naming every unknown permission."""
    faults: list[str] = []
    found = tuple(msgspec.structs.replace(rule, requirement=_known(rule, catalog, faults)) for rule in rules.rules)
    if faults:
        raise RulesError(dict.fromkeys(faults))
    return msgspec.structs.replace(rules, rules=found)


def _known(rule: Rule, catalog: Catalog, faults: list[str]) -> Requirement | None:
    if rule.requirement is None:
        return None
    try:
        return Requirement(
            tuple(tuple(catalog.permission(str(p)) for p in alternative) for alternative in rule.requirement.any_of)
        )
    except UnknownPermissionError as error:
        faults.append(f"{rule.operation}: {error}")
        return rule.requirement
