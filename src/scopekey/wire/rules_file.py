"""The rules as a TOML file: read with every fault at its line, written with a comment above each rule.

What the table means stands in ``core/rules``; how a request finds its rule, in ``core/matcher``.
"""

from collections.abc import Mapping, Sequence

from scopekey.core.catalog import Catalog, UnknownPermissionError
from scopekey.core.permission import InvalidPermissionError, Permission
from scopekey.core.requirement import Requirement
from scopekey.core.rules import InvalidOperationError, Mode, Operation, Rule, Rules
from scopekey.wire import toml_text
from scopekey.wire.toml_file import Table, TomlFile

_RULE = ("operation", "requires", "any_of", "public", "object", "mode")
_SAYS_NOTHING = (
    'the rule does not say what it needs; write requires = "datasets:read", any_of = [[…], […]] or public = true'
)


def read_rules(text: str, file: str, catalog: Catalog | None = None) -> Rules:
    """Read the rules; `file` is the name that faults are told under.

    Permissions are looked up in the catalog, aliases of `own` included; without one they are only
    parsed. Raises FileError with all faults.
    """
    document = TomlFile(text, file)
    root = document.root
    root.known("cors_preflight", "rule")
    preflight = root.text("cors_preflight")
    if preflight not in {None, "pass"}:
        root.fault("cors_preflight", f'cors_preflight = {preflight!r} means nothing; write "pass" or leave it out')
    read = {table.path: _rule(table, catalog) for table in root.tables("rule")}
    places = [path for path, rule in read.items() if rule]
    rules = Rules(tuple(rule for rule in read.values() if rule), cors_preflight=preflight == "pass")
    for fault in rules.faults():
        document.fault((*places[fault.rule], fault.field), fault.message)
    document.check()
    return rules


def _rule(table: Table, catalog: Catalog | None) -> Rule | None:
    """Read one rule; None where it has no operation to speak of. A rule with a fault never leaves this file."""
    table.known(*_RULE)
    operation = _operation(table)
    requirement = _requirement(table, catalog)
    named, mode = table.text("object"), _mode(table)
    return None if operation is None else Rule(operation, requirement, named, mode)


def _operation(table: Table) -> Operation | None:
    text = table.required_text("operation", '"GET /datasets/{dataset_id}"')
    if text is None:
        return None
    try:
        return Operation.parse(text)
    except InvalidOperationError as error:
        table.fault("operation", str(error))
        return None


def _mode(table: Table) -> Mode:
    text = table.text("mode")
    if text is None:
        return Mode.ENFORCE
    try:
        return Mode(text)
    except ValueError:
        known = " or ".join(f'"{mode}"' for mode in Mode)
        table.fault("mode", f"there is no mode {text!r}; write {known}")
        return Mode.ENFORCE


def _requirement(table: Table, catalog: Catalog | None) -> Requirement | None:
    given = [key for key in ("requires", "any_of", "public") if key in table.values]
    if not given:
        table.file.fault(table.path, _SAYS_NOTHING)
        return None
    if len(given) > 1:
        both = " and ".join(f"`{key}`" for key in given)
        table.fault(given[-1], f"the rule holds {both}; keep one of them")
    if given[0] == "public":
        if table.values["public"] is not True:
            table.fault("public", "`public` can only be true; write public = true, or what the operation requires")
        return None
    if given[0] == "requires":
        return Requirement((_requires(table, catalog),))
    return Requirement(_any_of(table, catalog))


def _requires(table: Table, catalog: Catalog | None) -> tuple[Permission, ...]:
    value = table.values["requires"]
    names = (value,) if isinstance(value, str) else table.texts("requires") or ()
    return _permissions(table, "requires", names, catalog)


def _any_of(table: Table, catalog: Catalog | None) -> tuple[tuple[Permission, ...], ...]:
    value = table.values["any_of"]
    if not isinstance(value, list) or not all(_is_names(item) for item in value):
        table.fault("any_of", '`any_of` is not a list of lists of permissions; write any_of = [["a:read"], ["b:read"]]')
        return ()
    return tuple(_permissions(table, "any_of", names, catalog) for names in value)


def _is_names(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(item, str) for item in value)


def _permissions(table: Table, key: str, names: Sequence[str], catalog: Catalog | None) -> tuple[Permission, ...]:
    found = (_permission(table, key, name, catalog) for name in names)
    return tuple(permission for permission in found if permission)


def _permission(table: Table, key: str, name: str, catalog: Catalog | None) -> Permission | None:
    try:
        return Permission.parse(name) if catalog is None else catalog.permission(name)
    except InvalidPermissionError as error:
        table.fault(key, f"{error}; correct the permission")
    except UnknownPermissionError as error:
        hint = "" if error.nearest else "; write one of the catalog's"
        table.fault(key, f"{error}{hint}")
    return None


def write_rules(rules: Rules, *, comments: Mapping[str, str] | None = None, header: str = "") -> str:
    """Write the rules; reading them back gives the same table. `comments` stand above the operations they are for."""
    lines = [*toml_text.comment(header), ""] if header else []
    if rules.cors_preflight:
        lines += ['cors_preflight = "pass"', ""]
    for rule in rules.rules:
        lines += [*toml_text.comment((comments or {}).get(str(rule.operation), "")), *_rule_lines(rule), ""]
    return "\n".join(lines).rstrip("\n") + "\n"


def _rule_lines(rule: Rule) -> list[str]:
    lines = ["[[rule]]", f"operation = {toml_text.string(str(rule.operation))}", _needs(rule.requirement)]
    if rule.object is not None:
        lines.append(f"object = {toml_text.string(rule.object)}")
    if rule.mode is not Mode.ENFORCE:
        lines.append(f"mode = {toml_text.string(rule.mode)}")
    return lines


def _needs(requirement: Requirement | None) -> str:
    if requirement is None:
        return "public = true"
    alternatives = requirement.names()
    if len(alternatives) != 1:
        return f"any_of = [{', '.join(toml_text.array(alternative) for alternative in alternatives)}]"
    (names,) = alternatives
    return f"requires = {toml_text.string(names[0]) if len(names) == 1 else toml_text.array(names)}"
