"""The page of measurements, from `bench/results.json` and the targets and topics that stand here.

What is not in the results does not appear; a result of a name that no topic knows stands under the last one.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import msgspec

from tools.docs_text import page, table

RESULTS = Path(__file__).resolve().parent.parent / "bench" / "results.json"


class Result(msgspec.Struct, frozen=True):
    """One figure, as the benchmark writes it."""

    name: str
    value: float
    unit: str
    n: int
    note: str = ""


class Target(msgspec.Struct, frozen=True):
    """What a result should be at most, or at least."""

    name: str
    about: str
    limit: float
    at_least: bool = False

    def met(self, value: float) -> bool:
        """Tell whether a value keeps it."""
        return value >= self.limit if self.at_least else value <= self.limit


TARGETS = (
    Target("check.10m.ns", "a check in process among 10 million keys", 4_000),
    Target("check.vs_digest", "that check against its own digest", 8),
    Target("rules.1533.ns", "a rule look-up among 1,533 operations", 5_000),
    Target("middleware.added.us", "what the middleware adds to a request", 25),
    Target("verify.vs_empty", "`/v1/verify` against an empty handler", 0.70, at_least=True),
    Target("door.vs_empty", "`/check` with 1,533 operations against an empty handler", 0.65, at_least=True),
    Target(
        "journal.strict_vs_relaxed", "the strict journal against the relaxed one, 64 connections", 0.70, at_least=True
    ),
    Target("workers.2_vs_1", "two workers against one, where the cores allow it", 1.7, at_least=True),
    Target("revocation.local.violations", "answers on this node that a revoked key still got", 0),
    Target("revocation.remote.p99.ms", "a revocation on another node, 99 of 100", 100),
    Target("replica.bytes_per_key", "the replica's file, for each of 10 million keys", 120),
    Target("replica.first_answer.s", "from the start to the first answer, 10 million keys", 1),
    Target("replica.resync_10m.s", "a replica of 10 million keys built anew", 120),
    Target("feed.resync_10m.s", "10 million keys over HTTP into an empty replica", 120),
    Target("create.sqlite.per_s", "keys created on SQLite", 1_000, at_least=True),
    Target("create.postgres.per_s", "keys created on PostgreSQL", 1_000, at_least=True),
    Target("audit.ingest.per_s", "decisions taken into the audit log", 30_000, at_least=True),
    Target("audit.proof_10m.ms", "the proof of one entry among 10 million", 5),
)
"""What is worth another design where it is missed."""

PARTS, GROWTH, PEERS = "Where the time of a check goes", "As it grows", "Beside its peers"
TOPICS = (
    (PARTS, ("check.part.",)),
    ("One check, in process", ("check.", "digest.")),
    (GROWTH, ("growth.",)),
    ("Rules", ("rules.",)),
    ("Over HTTP", ("middleware.", "door.", "verify.", "proxy.", "workers.", "http.")),
    ("The replica", ("replica.", "feed.", "followers.", "revocation.")),
    ("The journal and the audit log", ("journal.", "audit.")),
    ("Management", ("create.", "commit.")),
    (PEERS, ("peer.",)),
    ("And", ("",)),
)
"""The headings in their order, each with what the names of its results begin with; the first that fits."""

ABOUT = """`make bench` measures all of this and writes [bench/results.json](../../bench/results.json), from which this
page is made. Figures move from machine to machine; ratios, whose two sides are measured in one run, hold.

Everything that is compared is timed in rounds that take turns, A B C A B C, so that a machine which changes its pace
changes it for all of them; a figure is the median of the rounds, and its note names the quickest and the slowest. Over
HTTP, servers run on one core and the load on another, where there are two, and any answer but the expected one ends the
measurement. Keys, rules and requests are made with a fixed seed."""

_GROWTH = "The same question among more of something; the sizes of one table take turns."

_PEERS = """Each as its own documentation begins, at its default settings, and with the cache or index it documents
where it has one; the versions are in the notes. A ratio above 1 says how many times quicker Scopekey answered in the
same run. They do not all do the same: keyshield finds the key, compares its digest and looks at its scopes; casbin is
told who asks, and decides; djangorestframework-api-key finds a key and knows no scopes. A check of Scopekey finds the
key, compares its digest and looks at its organization, its end and its permissions; over HTTP it also looks up the rule
and records the decision."""

# growth.rules.215.ns, and the check's own check.10m.ns
_SIZED = re.compile(r"(?:growth\.(?P<what>\w+)|check)\.(?P<size>\d+[km]?)\.\w+")
_WHOLE = 100
_SCALE = {"k": 1_000, "m": 1_000_000}


def pages() -> dict[str, str]:
    """The page."""
    return {"docs/internals/performance.md": written(msgspec.json.decode(RESULTS.read_bytes(), type=list[Result]))}


def written(results: Sequence[Result]) -> str:
    """The page of these results."""
    machine = next((result for result in results if result.name == "machine"), None)
    on = f"Measured on {machine.value:g} {machine.unit}: {machine.note}." if machine else ""
    sections = (_section(title, found, results) for title, found in by_topic(results).items())
    source = "`bench/results.json` and `tools/docs_performance.py`"
    return page("Performance", source, ABOUT, on, _targets(results), *sections)


def by_topic(results: Iterable[Result]) -> Mapping[str, list[Result]]:
    """The results under their headings, those without any left out."""
    found: dict[str, list[Result]] = {title: [] for title, _ in TOPICS}
    for result in results:
        if result.name != "machine" and result.n:
            found[next(title for title, prefixes in TOPICS if result.name.startswith(prefixes))].append(result)
    return {title: some for title, some in found.items() if some}


def figure(value: float) -> str:
    """A value as people read it: whole from a hundred on, else three digits."""
    return f"{value:,.0f}" if abs(value) >= _WHOLE or value == int(value) else f"{value:.3g}"


def amount(value: float, unit: str) -> str:
    """A value with its unit: 533 ns, 1,205/s."""
    return f"{figure(value)}/s" if unit == "1/s" else f"{figure(value)} {unit}"


def _targets(results: Iterable[Result]) -> str:
    values = {result.name: result for result in results if result.n}
    rows = [
        (
            target.about,
            f"{'≥' if target.at_least else '≤'} {amount(target.limit, result.unit)}",
            amount(result.value, result.unit),
            "met" if target.met(result.value) else "**missed**",
        )
        for target in TARGETS
        if (result := values.get(target.name)) is not None
    ]
    return f"## Targets\n\n{table(('target', 'is', 'measured', ''), rows)}" if rows else ""


def _section(title: str, found: Sequence[Result], results: Sequence[Result]) -> str:
    if title == PARTS:
        return f"## {title}\n\n{_parts(found)}"
    if title == GROWTH:
        return f"## {title}\n\n{_growth(found, results)}"
    return "\n\n".join((f"## {title}", *([_PEERS] if title == PEERS else []), _listed(found)))


def _listed(found: Iterable[Result]) -> str:
    rows = [(f"`{r.name}`", amount(r.value, r.unit), r.note) for r in found]
    return table(("result", "value", "note"), rows)


def _parts(found: Sequence[Result]) -> str:
    """The parts one on top of the other: each with what it and those before it take together."""
    rows, together, totals = [], 0.0, []
    for result in found:
        name = result.name.split(".")[2]
        if name in {"whole", "recorded"}:
            totals.append(f"{figure(result.value)} ns: {result.note}.")
            continue
        together += result.value
        rows.append((name.replace("_", " "), figure(result.value), figure(together), result.note))
    return "\n\n".join((*totals, table(("part", "ns", "together", "is"), rows)))


def _growth(found: Sequence[Result], results: Sequence[Result]) -> str:
    """A table for each thing that gets more, its sizes side by side; the keys are those of the check."""
    kinds: dict[str, list[tuple[int, Result]]] = {}
    for result in results:
        if sized := _SIZED.fullmatch(result.name):
            kinds.setdefault(sized["what"] or "keys", []).append((_size(sized["size"]), result))
    tables = (_grown(what, sorted(some, key=lambda pair: pair[0])) for what, some in kinds.items())
    return "\n\n".join((_GROWTH, *tables, _listed(r for r in found if not _SIZED.fullmatch(r.name)))).rstrip()


def _grown(what: str, some: Sequence[tuple[int, Result]]) -> str:
    about = "check in process" if what == "keys" else some[0][1].note.partition("; rounds:")[0]
    rows = [(some[0][1].unit, *(figure(result.value) for _, result in some))]
    return f"{about[0].upper()}{about[1:]}:\n\n{table((what, *(f'{size:,}' for size, _ in some)), rows)}"


def _size(text: str) -> int:
    return int(text.rstrip("km")) * _SCALE.get(text[-1], 1)
