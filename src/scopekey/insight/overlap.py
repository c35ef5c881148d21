"""Pairs of operations that share a path, each with one as proof, and whether they need the same."""

from collections.abc import Iterator
from enum import StrEnum

import msgspec

from scopekey.core.overlap import Templates, meet
from scopekey.core.rules import Rule, Rules
from scopekey.core.target import Target
from scopekey.core.template import Template


class Relation(StrEnum):
    """How two templates that share a path stand to each other."""

    DOMINATED = "dominated"
    CROSSING = "crossing"
    SAME = "same paths"


class Pair(msgspec.Struct, frozen=True):
    """Two rules of one method by their positions, and a request that both match.

    Of a dominated pair `first` is the narrower one, which decides; else it is the earlier one.
    """

    relation: Relation
    first: int
    second: int
    example: str


def pairs(rules: Rules) -> Iterator[Pair]:
    """List every pair of operations that share a path, exactly, in the order of the table."""
    methods: dict[str, tuple[Templates, list[int]]] = {}
    for at, rule in enumerate(rules.rules):
        index, places = methods.setdefault(rule.operation.method, (Templates(), []))
        for number in index.rivals(rule.operation.template):
            found = _pair(rules.rules, places[number], at)
            if found:
                yield found
        index.add(rule.operation.template)
        places.append(at)


def _pair(rules: tuple[Rule, ...], earlier: int, later: int) -> Pair | None:
    one, other = rules[earlier].operation, rules[later].operation
    met = meet(one.template, other.template)
    if met is None:
        return None
    relation, swapped = _relation(one.template, other.template)
    first, second = (later, earlier) if swapped else (earlier, later)
    return Pair(relation, first, second, f"{one.method} {Target(met.path).path}")


def _relation(one: Template, other: Template) -> tuple[Relation, bool]:
    covers, covered = one.covers(other), other.covers(one)
    if covers and covered:
        return Relation.SAME, False
    return (Relation.DOMINATED, covers) if covers or covered else (Relation.CROSSING, False)
