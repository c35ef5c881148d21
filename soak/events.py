"""What happens to the world: each a function that does it, and leaves things so that they can heal by themselves."""

import os
import shutil
import signal
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from soak.world import Server, World

A_WHILE = 3.0
_KEPT = 3
"""Keys that are left alive, so that there is something to allow."""


def _take(world: World) -> tuple[str, str] | None:
    """Draw a live key, of which nothing is sure from now on; None where too few are left."""
    with world.lock:
        if len(world.live) < _KEPT:
            return None
        secret = world.drawn.choice(list(world.live))
        world.unsure.add(secret)
        return secret, world.live.pop(secret)


def revoke(world: World) -> None:
    taken = _take(world)
    if taken is None:
        return
    secret, key_id = taken
    if world.ask(f"/v1/keys/{key_id}/revoke", {"reason": "compromised"}) is not None:
        with world.lock:
            world.unsure.discard(secret)
            world.revoked[secret] = time.monotonic()
    else:
        _revoke_until_told(world, secret, key_id)


def _revoke_until_told(world: World, secret: str, key_id: str) -> None:
    """Asked for and not answered: asked again, now that nobody knows what became of it."""
    for _ in range(40):
        if world.ask(f"/v1/keys/{key_id}/revoke", {"reason": "compromised"}) is not None:
            with world.lock:
                world.unsure.discard(secret)
                world.revoked[secret] = time.monotonic()
            return
        time.sleep(0.25)


def create(world: World) -> None:
    answer = world.ask("/v1/keys", {"name": "soaked", "permissions": ["datasets:read"]})
    if answer is not None:
        made = answer.json()
        with world.lock:
            world.live[made["secret"]] = made["key"]["id"]


def rotate(world: World) -> None:
    """Rotate without an overlap: the old secret is refused from then on."""
    taken = _take(world)
    if taken is None:
        return
    secret, key_id = taken
    answer = world.ask(f"/v1/keys/{key_id}/rotate", {"overlap": "0s"})
    with world.lock:
        if answer is not None:
            world.unsure.discard(secret)
            world.revoked[secret] = time.monotonic()
            world.live[answer.json()["secret"]] = key_id


def kill_a_worker(world: World) -> None:
    server = world.drawn.choice(world.servers)
    found = server.workers()
    if found:
        with suppress(ProcessLookupError):
            os.kill(world.drawn.choice(found), signal.SIGKILL)


def kill_a_server(world: World) -> None:
    world.drawn.choice(world.servers).kill()


def restart_a_server(world: World) -> None:
    server = world.drawn.choice(world.servers)
    if not server.restart():
        raise AssertionError(f"{server.name} did not end in time")


def stop_a_follower(world: World) -> None:
    follower = world.follower_of(world.drawn.choice(world.gateways))
    if follower is None:
        return
    with suppress(ProcessLookupError):
        os.kill(follower, signal.SIGSTOP)
        time.sleep(world.drawn.uniform(0.5, A_WHILE))
        os.kill(follower, signal.SIGCONT)


def partition(world: World) -> None:
    network = world.drawn.choice(world.networks)
    network.hold()
    time.sleep(world.drawn.uniform(0.5, A_WHILE))
    network.go_on()


def refuse(world: World) -> None:
    network = world.drawn.choice(world.networks)
    network.refuse = True
    network.cut()
    time.sleep(world.drawn.uniform(0.5, A_WHILE))
    network.refuse = False


def _file(server: Server) -> Path:
    replica = server.home / "replica"
    return replica / (replica / "CURRENT").read_text().strip() / "data.mdb"


def cut_a_file(world: World) -> None:
    with suppress(OSError):
        file = _file(world.drawn.choice(world.servers))
        os.truncate(file, world.drawn.randrange(file.stat().st_size))


def change_bits(world: World) -> None:
    with suppress(OSError):
        file = _file(world.drawn.choice(world.servers))
        with file.open("r+b") as opened:
            for _ in range(world.drawn.choice([1, 5, 200])):
                at = world.drawn.randrange(file.stat().st_size)
                opened.seek(at)
                byte = opened.read(1)
                opened.seek(at)
                opened.write(bytes([byte[0] ^ 1 << world.drawn.randrange(8)]) if byte else b"")


def delete_a_replica(world: World) -> None:
    shutil.rmtree(world.drawn.choice(world.servers).home / "replica", ignore_errors=True)


def put_a_copy_back(world: World) -> None:
    """The copy is some seconds old, and is written over the file in use."""
    server = world.drawn.choice(world.servers)
    copy = world.folder / "copy"
    with suppress(OSError):
        shutil.copyfile(_file(server), copy)
        revoke(world)
        time.sleep(world.drawn.uniform(0.1, 1.0))
        with copy.open("rb") as older, _file(server).open("r+b") as opened:
            shutil.copyfileobj(older, opened)


EVERY: list[tuple[Callable[[World], None], int]] = [
    (revoke, 12),
    (create, 12),
    (rotate, 4),
    (kill_a_worker, 4),
    (kill_a_server, 2),
    (restart_a_server, 1),
    (stop_a_follower, 2),
    (partition, 3),
    (refuse, 2),
    (cut_a_file, 1),
    (change_bits, 1),
    (delete_a_replica, 1),
    (put_a_copy_back, 1),
]
"""What happens, and how often beside the others."""
