"""The page of metrics, from the list in `enforce/doors/metrics`."""

from collections.abc import Sequence

from scopekey.enforce.doors.metrics import CHECKS, JOURNAL, LOG, PROCESS, REPLICA, Told
from tools.docs_text import page, table

ABOUT = """`GET /metrics` of `serve` and `gateway` answers in the text format of Prometheus, without a key: nothing is
told about tenants. Whichever worker is asked tells the numbers of all; a counter goes back to 0 when `serve` or
`gateway` is started, and not when one of its workers is. [Observing](../guides/observing.md) says what to watch."""

_PARTS = (
    ("Checks", "", CHECKS),
    ("Replica", "The same in every worker: they share one replica.", REPLICA),
    ("Journal", "Decisions on their way to the control plane, of all processes of the home folder.", JOURNAL),
    ("Audit log", "Where the store is: `serve` alone. Read at most once a second.", LOG),
    ("Processes", "Of each worker that lives, by its name, where the system has `/proc`.", PROCESS),
)


def pages() -> dict[str, str]:
    """The page: all metrics in a table, then each part with a heading for each metric."""
    every = [told for _, _, metrics in _PARTS for told in metrics]
    overview = table(("metric", "kind"), ((f"[`{told.name}`](#{told.name})", told.kind) for told in every))
    parts = (part for title, about, metrics in _PARTS for part in (f"## {title}", about, _described(metrics)))
    source = "`src/scopekey/enforce/doors/metrics.py`"
    return {"docs/reference/metrics.md": page("Metrics", source, ABOUT, overview, *parts)}


def _described(metrics: Sequence[Told]) -> str:
    return "\n\n".join(f"### {told.name}\n\n{_kind(told)} {told.meaning}" for told in metrics)


def _kind(told: Told) -> str:
    return f"A {told.kind}, by `{told.label}`." if told.label else f"A {told.kind}."
