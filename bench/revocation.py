"""How long a revoked key is still let in: on gateways that follow, and on the node where it was revoked.

The time counts from the moment at which the call that revokes had returned to whoever made it, and ends when the last
allow had arrived: a part of it is the way of that answer.
"""

import time
from collections.abc import Iterable
from pathlib import Path
from random import Random

import httpx

from bench.hammer import Hammer
from bench.measure import Result
from bench.planes import Planes
from bench.serving import HOST

GATEWAYS = 8
CONNECTIONS = 64
REMOTE, LOCAL = 250, 500
"""Keys that are revoked."""
REMOTE_EVERY, LOCAL_EVERY = 100.0, 20.0
"""Milliseconds between two questions of a connection: together, so many that no process is starved for them."""


def bench_revocation(folder: Path, *, quick: bool) -> list[Result]:
    """Measure both; `quick` revokes fewer keys."""
    planes = Planes(folder)
    part = 10 if quick else 1
    return [*_remote(planes, REMOTE // part), *_local(planes, LOCAL // part)]


def _remote(planes: Planes, revocations: int) -> list[Result]:
    with planes.serve() as control, planes.gateways(control, GATEWAYS) as gateways:
        found = _revoked(planes, control, Hammer(gateways, CONNECTIONS, REMOTE_EVERY), revocations)
    late = sorted(each["late"] / 1e6 for answers in found for each in answers)
    note = (
        f"from the return of the call to the last allow, 0 where it came before; {revocations} revocations on each of "
        f"{GATEWAYS} gateways of one worker, beside one control plane; {CONNECTIONS} connections to each ask about the "
        f"key every {REMOTE_EVERY:g} ms, {_per_s(GATEWAYS, REMOTE_EVERY)} checks/s in all; all on the same cores"
    )
    return [
        Result("revocation.remote.p50.ms", round(_at(late, 0.5), 2), "ms", len(late), note),
        Result("revocation.remote.p99.ms", round(_at(late, 0.99), 2), "ms", len(late), note),
        Result("revocation.remote.max.ms", round(late[-1], 2), "ms", len(late), note),
    ]


def _local(planes: Planes, revocations: int) -> list[Result]:
    with planes.serve(workers=2) as port:
        hammer = Hammer([port], CONNECTIONS, LOCAL_EVERY)
        found = _revoked(planes, port, hammer, revocations)
    asked = sum(each["asked"] for answers in found for each in answers)
    note = (
        f"allows among {asked:,} questions that were sent after the call had returned; {revocations} revocations, "
        f"{CONNECTIONS} connections to {hammer.about['workers']} workers ask about the key every {LOCAL_EVERY:g} ms, "
        f"{_per_s(1, LOCAL_EVERY)} checks/s"
    )
    violations = sum(each["violations"] for answers in found for each in answers)
    return [Result("revocation.local.violations", violations, "allows", asked, note)]


def _revoked(planes: Planes, control: int, hammer: Hammer, count: int) -> list[list[dict[str, int]]]:
    """Revoke one key after the other while each is used; what each server did then."""
    keys, random = planes.keys(count), Random(7)
    headers = {"Authorization": f"Bearer {planes.operator}"}
    with hammer, httpx.Client(headers=headers, trust_env=False, timeout=20) as client:
        return [_one(client, control, hammer, key, random.uniform(0, 0.05)) for key in keys]


def _one(client: httpx.Client, control: int, hammer: Hammer, key: tuple[str, str], wait: float) -> list[dict[str, int]]:
    key_id, printed = key
    hammer.use(printed)
    # At any moment of the rhythm of whoever watches.
    time.sleep(wait)
    answer = client.post(f"http://{HOST}:{control}/v1/keys/{key_id}/revoke", json={"reason": "compromised"})
    returned = time.monotonic_ns()
    assert answer.status_code == httpx.codes.OK, answer.text
    return hammer.refused(returned)


def _per_s(servers: int, every: float) -> str:
    return f"{servers * CONNECTIONS * 1_000 / every:,.0f}"


def _at(found: Iterable[float], part: float) -> float:
    """The value below which this part of all lies."""
    ordered = sorted(found)
    return ordered[min(int(len(ordered) * part), len(ordered) - 1)]
