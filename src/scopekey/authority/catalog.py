"""Apply a catalog or rules: a difference is a change with its entry, like every other one."""

from scopekey.authority.actor import Caller
from scopekey.authority.unit_of_work import Authority, UnitOfWork
from scopekey.authority.widening import refuse_widening, widened_by_catalog, widened_by_rules
from scopekey.core.catalog import Catalog
from scopekey.core.grant import Register
from scopekey.core.grant import register as register_catalog
from scopekey.core.problem import ProblemError
from scopekey.core.rules import Rules
from scopekey.replica.index import Place
from scopekey.wire.changes import catalog_digest, rules_digest


def apply_catalog(
    authority: Authority, caller: Caller, catalog: Catalog, *, allow_widening: bool = False
) -> tuple[Register, Place | None]:
    """Take a catalog over: permissions that stay keep their bits, new ones get new bits.

    The same catalog again changes nothing, and gives no place. Raises ProblemError `conflict` where
    the applied rules need a permission that would be gone, or where it widens access and that was not
    allowed. Only the machine may.
    """
    with authority.changing(caller) as work:
        before = _locked(work)
        if catalog_digest(before.catalog) == catalog_digest(catalog):
            return before, None
        after = register_catalog(catalog, before)
        refuse_dangling(work.rules(), catalog)
        if not allow_widening:
            refuse_widening(widened_by_catalog(before, after, work.rules()))
        _put(
            work,
            "catalog",
            after,
            "catalog.apply",
            before=catalog_digest(before.catalog),
            after=catalog_digest(catalog),
        )
    return after, work.place


def apply_rules(authority: Authority, caller: Caller, rules: Rules, *, allow_widening: bool = False) -> Place | None:
    """Take rules over. The same rules again change nothing. Only the machine may.

    Raises ProblemError `conflict`, also where they widen access and that was not allowed.
    """
    with authority.changing(caller) as work:
        register = _locked(work)
        before = work.rules()
        if rules_digest(before) == rules_digest(rules):
            return None
        refuse_dangling(rules, register.catalog)
        if not allow_widening:
            refuse_widening(widened_by_rules(before, rules, register))
        _put(work, "rules", rules, "rules.apply", before=rules_digest(before), after=rules_digest(rules))
    return work.place


def applied(authority: Authority, caller: Caller) -> tuple[Register, Rules]:
    """The applied catalog with its bits, and the applied rules."""
    with authority.looking(caller) as work:
        return work.register, work.rules()


def _locked(work: UnitOfWork) -> Register:
    """The applied catalog, held until the end: two that apply at once would give one bit to two permissions."""
    if work.actor.kind != "machine":
        raise ProblemError("exceeds_caller", "Catalog and rules are the machine's to apply: use its command line.")
    document = work.tx.documents.get("catalog", lock=True)
    return document.state if document and isinstance(document.state, Register) else work.register


def _put(work: UnitOfWork, kind: str, state: Register | Rules, action: str, *, before: str, after: str) -> None:
    work.tx.documents.put(kind, state, work.now)
    work.change(state, action, organization=None, before={"digest": before}, after={"digest": after})


def refuse_dangling(rules: Rules, catalog: Catalog) -> None:
    """Refuse rules that need a permission which the catalog does not have. Raises ProblemError `conflict`."""
    for rule in rules.rules:
        for alternative in rule.requirement.any_of if rule.requirement else ():
            for permission in alternative:
                if str(permission) not in catalog.permissions:
                    raise ProblemError(
                        "conflict",
                        f"The rule {str(rule.operation)!r} needs {permission}, which the catalog does not have. "
                        "Change the rule first, or keep the permission.",
                        permission=str(permission),
                    )
