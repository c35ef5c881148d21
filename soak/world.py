"""What is soaked: one control plane, two gateways behind networks that break, all ended by their own process ids."""

import os
import random
import signal
import subprocess
import sys
import threading
import time
from contextlib import ExitStack, suppress
from pathlib import Path

import httpx

from tests.journeys.cutter import Cutter
from tests.journeys.planes import Deployment
from tests.journeys.serving import environment, free_port, leader_of

GONE_WITHIN = 40.0


def children(pid: int) -> list[int]:
    """The processes that one has started."""
    with suppress(OSError):
        return [int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    return []


class Server:
    """A server that is started again when it was killed."""

    def __init__(self, name: str, words: list[str], home: Path, log: Path, **settings: str) -> None:
        self.name, self.home = name, home
        self.port = free_port()
        self._command = [sys.executable, "-m", "scopekey", *words, "--port", str(self.port)]
        self._environment = environment(home, **settings)
        self._log = log
        self._all: set[int] = set()
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        with self._log.open("ab") as log:
            self.process = subprocess.Popen(self._command, env=self._environment, stdout=log, stderr=log)

    def workers(self) -> list[int]:
        """What it has started, the follower among them."""
        found = children(self.process.pid) if self.process else []
        self._all.update(found)
        return found

    def kill(self) -> None:
        """End the process that watches, at once; start it again."""
        self.workers()
        if self.process is not None:
            self.process.kill()
            self.process.wait()
        self.start()

    def restart(self) -> bool:
        """End it as an administrator would; tell whether it ended in time. Start it again."""
        ended = self.stop()
        self.start()
        return ended

    def stop(self) -> bool:
        self.workers()
        process = self.process
        if process is None:
            return True
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(GONE_WITHIN)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            return False
        return True

    def ready(self) -> bool:
        try:
            answer = httpx.get(f"http://127.0.0.1:{self.port}/readyz", trust_env=False, timeout=2)
        except httpx.HTTPError:
            return False
        return answer.is_success and not answer.json()["stale"]


class World:
    """The servers, the networks between them, and the keys with what is known of each."""

    def __init__(self, folder: Path, drawn: random.Random) -> None:
        self._ends = ExitStack()
        self.folder = folder
        self.drawn = drawn
        self.deployment = Deployment(folder, keys=4)
        self.log = folder / "servers.log"
        self.heads = folder / "heads"
        """Where each checkpoint of the log is kept, beside the log."""
        kept = {"SCOPEKEY_LOG_HEADS": str(self.heads), "SCOPEKEY_JOURNAL": "strict"}
        self.control = Server("serve", ["serve", "--workers", "2"], self.deployment.home, self.log, **kept)
        self.networks: list[Cutter] = []
        self.gateways: list[Server] = []
        for at in range(2):
            home = self.deployment.plane(f"gateway{at}")
            network = self._ends.enter_context(Cutter(self.control.port))
            settings = self.deployment.set_for(home, STALE_AFTER="2s", REFUSE_AFTER="6s", JOURNAL="strict")
            words = ["gateway", "--upstream", network.url, "--workers", "2"]
            self.networks.append(network)
            self.gateways.append(Server(f"gateway {at}", words, home, self.log, **settings))
        self.lock = threading.Lock()
        self.live = {secret: key_id for key_id, secret in self.deployment.keys}
        self.revoked: dict[str, float] = {}
        """Each printed key with the moment at which the call that ended it had returned."""
        self.unsure: set[str] = set()
        """Keys whose revocation was asked for and not answered: both answers are right."""

    @property
    def servers(self) -> list[Server]:
        return [self.control, *self.gateways]

    def start(self) -> None:
        self.control.start()
        self.wait_ready([self.control])
        for server in self.gateways:
            server.start()
        self.wait_ready(self.gateways)

    def wait_ready(self, servers: list[Server], within: float = 40.0) -> list[str]:
        """Wait until all are level; gives the names of those that never were."""
        deadline = time.monotonic() + within
        left = list(servers)
        while left and time.monotonic() < deadline:
            left = [server for server in left if not server.ready()]
            time.sleep(0.05)
        return [server.name for server in left]

    def ask(self, path: str, body: object) -> httpx.Response | None:
        """Ask the management API; None where nobody answers, or not with success."""
        headers = {"Authorization": f"Bearer {self.deployment.operator}"}
        url = f"http://127.0.0.1:{self.control.port}{path}"
        try:
            answer = httpx.post(url, json=body, headers=headers, trust_env=False, timeout=10)
        except httpx.HTTPError:
            return None
        return answer if answer.is_success else None

    def follower_of(self, server: Server) -> int | None:
        with suppress(OSError, IndexError):
            return leader_of(server.home / "replica")
        return None

    def stop(self) -> list[str]:
        """End everything; gives what did not end by itself."""
        for network in self.networks:
            network.refuse = False
            network.go_on()
        late = [server.name for server in (*self.gateways, self.control) if not server.stop()]
        self._ends.close()
        for server in self.servers:
            for pid in server._all:
                if _is_of(server, pid):
                    late.append(f"{server.name}: process {pid}")
                    with suppress(ProcessLookupError):
                        os.kill(pid, signal.SIGKILL)
        return late


def _is_of(server: Server, pid: int) -> bool:
    """Whether a process that a server had started still runs: a number is used again, by others too."""
    with suppress(OSError):
        words = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        home = f"SCOPEKEY_HOME={server.home}".encode()
        return words[0] != "Z" and home in Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
    return False
