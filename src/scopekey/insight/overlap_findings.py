"""What to say of two operations that share a path: how they stand to each other, and whether they need the same."""

from collections.abc import Iterator

from scopekey.core.catalog import Catalog
from scopekey.core.grant import Register
from scopekey.core.permission import Permission
from scopekey.core.rules import Rule, Rules
from scopekey.insight.access import Access, contained
from scopekey.insight.finding import Finding, Severity, Words
from scopekey.insight.overlap import Pair, Relation, pairs

_APART = "rename a segment so that no path is both's, or let both need the same"
_WORDS = {
    (Relation.SAME, False): Words(
        "same-paths",
        Severity.WARNING,
        "both match the same paths and need the same",
        "keep one of the two",
    ),
    (Relation.SAME, True): Words(
        "same-paths-differ",
        Severity.ERROR,
        "both match the same paths and need different things: a call must meet both",
        "keep one of the two",
    ),
    (Relation.CROSSING, False): Words(
        "crossing",
        Severity.NOTE,
        "their templates cross, and they need the same",
        "nothing, as long as they need the same",
    ),
    (Relation.CROSSING, True): Words(
        "crossing-differ",
        Severity.WARNING,
        "their templates cross and they need different things: a call that both match must meet both",
        _APART,
    ),
    (Relation.DOMINATED, False): Words(
        "dominated",
        Severity.NOTE,
        "the first is inside the second and decides, and they need the same",
        "nothing, as long as they need the same",
    ),
    (Relation.DOMINATED, True): Words(
        "dominated-differ",
        Severity.NOTE,
        "the first is inside the second and decides; it needs all that the second needs, and more",
        "check that the server behind serves the first on its paths",
    ),
}
_LOOSER = Words(
    "dominated-looser",
    Severity.WARNING,
    "the first is inside the second and decides, without needing all that the second needs",
    "check that the server behind never serves the second on the first one's paths, whatever the order of its routes",
)


def overlap_findings(rules: Rules, catalog: Catalog) -> Iterator[Finding]:
    """List every pair of operations that share a path, with what to think of it."""
    accesses = _Accesses(catalog)
    for pair in pairs(rules):
        one, other = rules.rules[pair.first], rules.rules[pair.second]
        yield _finding(pair, one, other, _words(pair, accesses, one, other))


def _words(pair: Pair, accesses: "_Accesses", one: Rule, other: Rule) -> Words:
    inner, outer = accesses.of(one), accesses.of(other)
    kept, back = accesses.contained(inner, outer), accesses.contained(outer, inner)
    if pair.relation is Relation.DOMINATED and not kept:
        return _LOOSER
    return _WORDS[pair.relation, not (kept and back)]


def _finding(pair: Pair, one: Rule, other: Rule, words: Words) -> Finding:
    needs = (_needs(one), _needs(other))
    differs = "" if needs[0] == needs[1] else f": {needs[0]} | {needs[1]}"
    return Finding(
        code=words.code,
        severity=words.severity,
        operations=(str(one.operation), str(other.operation)),
        message=words.message + differs,
        remedy=words.remedy,
        example=pair.example,
        rule=max(pair.first, pair.second) if pair.relation is not Relation.DOMINATED else pair.first,
        needs=needs if differs else (),
    )


def _needs(rule: Rule) -> str:
    if rule.requirement is None:
        return "public"
    return str(rule.requirement) or ("any live key" if rule.requirement.any_of else "nobody")


class _Accesses:
    """Requirements as masks that can be compared; a permission the catalog lacks has a bit all the same."""

    def __init__(self, catalog: Catalog) -> None:
        self._register = Register.first(catalog)
        self._bits = dict(self._register.bits)

    def of(self, rule: Rule) -> Access:
        """Read what a rule requires."""
        if rule.requirement is None:
            return Access(public=True)
        return Access(public=False, masks=tuple(map(self._mask, rule.requirement.any_of)))

    def contained(self, access: Access, other: Access) -> bool:
        """Tell whether who passes the one passes the other."""
        return contained(access, other, lambda held: held | self._register.effective(held))

    def _mask(self, permissions: tuple[Permission, ...]) -> int:
        return sum(1 << self._bits.setdefault(name, len(self._bits)) for name in dict.fromkeys(map(str, permissions)))
