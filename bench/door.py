"""What a gateway makes of a server: its doors against empty handlers on the same server, over HTTP.

One worker on one core, the load on another, 64 connections. An empty handler reads the same bodies and
sends the same bytes. The decisions go up as they always do, to a process on the core of the load.
"""

import json
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from random import Random

import httpx
import msgspec

from bench.behind import SINK
from bench.deployed import FOLDER
from bench.load import load
from bench.measure import Result, Timing, interleaved
from bench.operations import call, every
from bench.serving import HOST, serving
from bench.traffic import get, traffic
from bench.world import NEEDED, World, verifier
from scopekey.core.permission import Permission
from scopekey.core.requirement import Requirement
from scopekey.core.rules import Operation, Rule, Rules
from scopekey.enforce.doors import verify

KEYS = 100_000
REQUESTS = 10_000


def bench_doors(folder: Path) -> list[Result]:
    """Measure `/v1/verify` and `/check/nginx`, each beside its empty handler, and what other proxies ask."""
    calls, rules = table()
    world = load(folder / "replica", KEYS, rules)
    told = [(printed, *calls[at % len(calls)]) for at, printed in enumerate(many(world.printed))]
    checks = [_original("nginx", *each) for each in told]
    others = {
        "haproxy": [_original("haproxy", *each) for each in told],
        "forwarded": [_forwarded(*each) for each in told],
        "envoy": [_envoy(*each) for each in told],
    }
    asking = _asking(world)
    verifies = [_verify(asking, printed) for printed in many(world.printed)]
    with ExitStack() as stack, server(folder, "sink", "--beside") as sink:
        gateway = stack.enter_context(server(folder, "gateway", sink=sink))
        _keep_answer(folder, gateway, asking, world.printed[0])
        ports = {name: stack.enter_context(server(folder, name)) for name in ("empty_door", "empty_verify")}
        loads = {
            "empty door": (ports["empty_door"], checks),
            "door": (gateway, checks),
            "empty verify": (ports["empty_verify"], verifies),
            "verify": (gateway, verifies),
            **{name: (gateway, requests) for name, requests in others.items()},
        }
        rounds = {
            name: stack.enter_context(traffic(port, requests, folder / f"{port}-{name}.json")).round("load")
            for name, (port, requests) in loads.items()
        }
        found = interleaved(rounds)
    note = f"{len(calls):,} operations, {KEYS:,} keys, one worker, 64 connections"
    return [
        *_results("door", found["empty door"], found["door"], f"/check/nginx, {note}"),
        *(
            Result(f"door.{name}.per_s", round(1e9 / found[name].median), "/s", found[name].n, f"as it asks, {note}")
            for name in others
        ),
        *_results("verify", found["empty verify"], found["verify"], f"/v1/verify with one permission, {note}"),
    ]


def _results(name: str, empty: Timing, real: Timing, note: str) -> list[Result]:
    said = f"{note}; empty {empty.median / 1e3:.1f} µs ({empty.spread}), with it {real.median / 1e3:.1f} µs"
    return [
        Result(f"{name}.vs_empty", round(empty.median / real.median, 3), "×", real.n, said),
        Result(f"{name}.per_s", round(1e9 / real.median), "/s", real.n, note),
    ]


def table() -> tuple[list[tuple[str, str]], Rules]:
    """The largest table of operations, all of them needing one permission that every key here holds."""
    need = Requirement.all_of(Permission.parse(NEEDED))
    texts = [text for text, _ in every()]
    calls = [call(text) for text in texts]
    Random(5).shuffle(calls)
    rules = Rules(tuple(Rule(Operation.parse(text), need) for text in texts))
    return [(method, target.decode()) for method, target in calls], rules


def _original(proxy: str, printed: str, method: str, target: str) -> str:
    return get(
        f"/check/{proxy}",
        Authorization=f"Bearer {printed}",
        X_Original_Method=method,
        X_Original_URI=target,
        X_Original_Client="192.0.2.1",
    )


def _forwarded(printed: str, method: str, target: str) -> str:
    return get(
        "/check/forwarded",
        Authorization=f"Bearer {printed}",
        X_Forwarded_Method=method,
        X_Forwarded_Uri=target,
        X_Forwarded_For="192.0.2.1",
    )


def _envoy(printed: str, method: str, target: str) -> str:
    told = get(f"/ext_authz{target}", Authorization=f"Bearer {printed}", X_Forwarded_For="192.0.2.1")
    return method + told.removeprefix("GET")


def _asking(world: World) -> str:
    """A key that may ask about others: some of those that are known hold that permission too."""
    checking = verifier(world.folder)
    return next(printed for printed in world.printed if checking.check(printed, verify.NEEDED))


def _verify(asking: str, printed: str) -> str:
    body = json.dumps({"key": printed, "permissions": [NEEDED]})
    return post("/v1/verify", body, Authorization=f"Bearer {asking}")


def post(path: str, body: str, **headers: str) -> str:
    """A POST request as it goes over the wire."""
    told = get(path, Content_Type="application/json", Content_Length=str(len(body)), **headers)
    return "POST" + told.removeprefix("GET") + body


def many(printed: list[str]) -> list[str]:
    return (printed * (REQUESTS // len(printed) + 1))[:REQUESTS]


def _keep_answer(folder: Path, port: int, asking: str, asked: str) -> None:
    """Keep one real answer for the empty handler to repeat."""
    headers = {"Authorization": f"Bearer {asking}"}
    question = {"key": asked, "permissions": [NEEDED]}
    answer = httpx.post(f"http://{HOST}:{port}/v1/verify", json=question, headers=headers, trust_env=False)
    assert answer.status_code == 200, answer.text
    assert msgspec.json.decode(answer.content)["allowed"], answer.text
    (folder / "answer.json").write_bytes(answer.content)


@contextmanager
def server(folder: Path, name: str, *words: str, sink: int = 0) -> Iterator[int]:
    def command(address: str) -> list[str]:
        return [sys.executable, "-m", "bench.worker", f"bench.behind:{name}", address, *words]

    with serving(command, **{FOLDER: str(folder), SINK: f"http://{HOST}:{sink}"}) as port:
        yield port
