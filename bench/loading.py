"""A follower that loads a deployment into an empty folder over HTTP: a process of its own on the core of the load.

As a program: reads the folder and the address of the upstream, the key from the environment, and prints what it cost.
"""

import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec

from bench.companion import ROOT
from bench.serving import cores, pin
from bench.world import PEPPER
from scopekey.replica.clock import milliseconds
from scopekey.replica.follow import Follower, State, Status
from scopekey.replica.leader import Leadership
from scopekey.replica.lmdb_index import LmdbIndex
from scopekey.replica.upstream import Stream, Upstream

KEY = "BENCH_KEY"
"""The variable that holds the key for the upstream."""


class Loaded(msgspec.Struct, frozen=True):
    """Seconds until everything was there and followed, seconds of one core, and bytes of the snapshot on the wire."""

    seconds: float
    cpu: float
    wire: int


def loaded(folder: Path, url: str, key: str, within: float) -> Loaded:
    """Load in a fresh process. Raises CalledProcessError, TimeoutExpired."""
    done = subprocess.run(
        [sys.executable, "-m", "bench.loading", str(folder), url],
        stdout=subprocess.PIPE,
        check=True,
        cwd=ROOT,
        env={**os.environ, KEY: key},
        timeout=within,
    )
    return msgspec.json.decode(done.stdout, type=Loaded)


class _Counted(Upstream):
    """Counts what the snapshot took on the wire, the lengths of chunks not included."""

    wire = 0

    @contextmanager
    def snapshot(self) -> Iterator[Stream]:
        with super().snapshot() as stream:
            response = self._response
            yield stream
            if response is not None:
                self.wire = response.num_bytes_downloaded


def main() -> None:
    pin(cores()[1])
    folder, url = Path(sys.argv[1]), sys.argv[2]
    followed, failed = threading.Event(), []

    def tell(status: Status) -> None:
        if status.state in {State.FOLLOWING, State.REFUSED, State.AWAY}:
            if status.state is not State.FOLLOWING:
                failed.append(status.detail)
            followed.set()

    folder.mkdir(parents=True)
    upstream = _Counted(url, lambda: os.environ[KEY])
    follower = Follower(
        LmdbIndex(folder),
        upstream,
        peppers=(PEPPER.id,),
        leadership=Leadership(folder / "follower.lock"),
        clock=milliseconds,
        tell=tell,
    )
    began, cpu_began = time.perf_counter(), time.process_time()
    following = threading.Thread(target=follower.run)
    following.start()
    followed.wait()
    told = Loaded(time.perf_counter() - began, time.process_time() - cpu_began, upstream.wire)
    follower.stop()
    following.join()
    if failed:
        raise SystemExit(failed[0])
    print(msgspec.json.encode(told).decode())


if __name__ == "__main__":
    main()
