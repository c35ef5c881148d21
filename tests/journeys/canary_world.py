"""A deployment that is used in every way there is and broken in many, and keeps everything that it wrote and told."""

import base64
import contextlib
import io
import itertools
import json
import random
import shutil
import sqlite3
import sys
import time
import traceback
from urllib.parse import quote

import httpx
import pytest

from scopekey import Scopekey
from scopekey.cli.main import run
from scopekey.demo.serving import listen, serving
from scopekey.replica.lmdb_index import LmdbIndex
from scopekey.replica.verifier import Verifier
from scopekey.server.app import ControlPlane
from scopekey.server.beginning import begin
from scopekey.server.node import Node
from scopekey.store.engine import Store
from tests.enforce.points import Watch
from tests.journeys.canaries import Canaries
from tests.server.running import CATALOG, DATA, OWN, RULES, settings

CREATED = 201
EMPTY_PAGE = bytes(4096)
SECRET_FILES = {"pepper", "signing_key"}
"""Where the deployment's own secrets are kept: the only files that may hold one."""

DOOR = {"X-Original-Method": "GET", "X-Original-URI": "/datasets", "X-Original-Client": "192.0.2.7"}


class World:
    """A deployment, everything that it told, and copies of everything that it wrote."""

    def __init__(self, folder):
        self.folder = folder
        self.canaries = Canaries()
        self.told = {"logs": io.StringIO(), "answers": io.StringIO(), "output": io.StringIO()}
        self.files = {}
        self.patch = pytest.MonkeyPatch()
        self._copies = itertools.count()
        self.calling = False
        self.http = httpx.Client(timeout=20, trust_env=False)
        (folder / "catalog.toml").write_text(CATALOG, "utf-8")
        (folder / "rules.toml").write_text(RULES.replace('/run"', '/run"\nobject = "query_id"'), "utf-8")
        self.settings = settings(folder, log_heads=(str(folder / "heads"),), journal="strict")
        self.operator = self._known("operator", begin(self.settings))
        other = settings(self._folder("other"))
        self.foreign = self._known("foreign", begin(other))
        for name, of in (("", self.settings), ("other ", other)):
            for file in SECRET_FILES:
                word = (of.home / file).read_text().strip()
                self.canaries.add(f"{name}{file}", bytes.fromhex(word))
                self.canaries.add(f"{name}{file}, as it stands", word)
        self.node = Node.open(self.settings, lock_timeout=50)

    def _folder(self, name):
        folder = self.folder / name
        folder.mkdir()
        return folder

    def _known(self, name, printed):
        self.canaries.add_key(name, printed)
        return printed

    def api(self, method, path, secret=None, *, echoed=False, **more):
        """Call the control plane; everything it answers is kept, but the one member that gives a new secret.

        `echoed`: the answer repeats what was sent, to whoever sent it and to nobody else.
        """
        headers = {"Authorization": f"Bearer {secret}"} if secret else {}
        with contextlib.suppress(httpx.HTTPError):
            self.calling = True
            try:
                answer = self.http.request(
                    method, self.url + path, **{**more, "headers": headers | more.get("headers", {})}
                )
            finally:
                self.calling = False
            if echoed:
                return answer
            text, given = answer.text, answer.json().get("secret") if answer.status_code == CREATED else None
            if given:
                self._known(f"secret {len(self.canaries.secrets)}", given)
                text = text.replace(given, "")
            self.told["answers"].write(f"{method} {path.partition('?')[0][:9]} {answer.status_code}\n{text}\n")
            self.told["answers"].write(f"{answer.headers}\n")
            return answer
        return None

    def issue(self, *permissions, **asked):
        answer = self.api(
            "POST", "/v1/keys", self.operator, json={"name": "a key", "permissions": list(permissions), **asked}
        ).json()
        return answer["key"]["id"], answer["secret"]

    def command(self, *words, stdin="", watch=None, **given):
        """Run a command in this process; an exception that nobody caught is told as Python tells it."""
        out, err = io.StringIO(), io.StringIO()
        with self.patch.context() as patch, contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            for name, value in {"home": self.settings.home, **given}.items():
                patch.setenv(f"SCOPEKEY_{name.upper()}", str(value))
            patch.setattr(sys, "argv", ["scopekey", *map(str, words)])
            patch.setattr(sys, "stdin", io.StringIO(stdin))
            try:
                with watch.watching() if watch is not None else contextlib.nullcontext():
                    run()
            except SystemExit:
                pass
            except Exception:  # noqa: BLE001 - what a shell would show
                traceback.print_exc(file=err)
        self.told["output"].write(out.getvalue() + err.getvalue())
        return out.getvalue()

    def keep_files(self):
        """Copy all files as they are now: some of them go away when a node is closed."""
        name = f"copy {next(self._copies)}"
        for file in [file for file in self.folder.rglob("*") if file.is_file() and file.name not in SECRET_FILES]:
            with contextlib.suppress(FileNotFoundError):
                content = file.read_bytes().replace(EMPTY_PAGE, b"")
                if content not in self.files.values():
                    self.files[f"{name}: {file.relative_to(self.folder)}"] = content

    def evidence(self):
        return {**{name: told.getvalue().encode() for name, told in self.told.items()}, **self.files}


def live(world):
    """Use it, break it, and keep what it wrote on the way."""
    with serving(ControlPlane(world.node, close=False), listen(0)) as world.url:
        keys = used_well(world)
        used_badly(world, keys)
        followed(world, keys)
        commanded(world, keys)
        broken(world, keys)
        world.keep_files()
        world.node.hand_over()
        world.node.seal()
        read_back(world, keys)
        world.keep_files()
    world.node.close()
    world.http.close()
    world.keep_files()


def used_well(world):
    """A key of every fate; gives them by it."""
    tenant = world.api("POST", "/v1/organizations", world.operator, json={"name": "Acme"}).json()["id"]
    keys = {
        "reader": world.issue("datasets:read"),
        "bound": world.issue("datasets:read", allowed_networks=["192.0.2.0/24"]),
        "brief": world.issue("datasets:read", expires_in="1ms"),
        "admin": world.issue(*OWN, *DATA, organization=tenant),
        "follower": world.issue("scopekey_changes:read", "scopekey_journal:write"),
        "auditor": world.issue("scopekey_audit:read"),
        "revoked": world.issue("datasets:read"),
        "rotated": world.issue("datasets:read"),
        "repeated": world.issue("datasets:read"),
    }
    world.api("POST", f"/v1/keys/{keys['revoked'][0]}/revoke", world.operator, json={"reason": "compromised"})
    body = {"overlap": "1d"}
    rotated = world.api("POST", f"/v1/keys/{keys['rotated'][0]}/rotate", world.operator, json=body).json()
    keys["rotated anew"] = (keys["rotated"][0], rotated["secret"])
    again = {"json": {"name": "again", "permissions": []}, "headers": {"Idempotency-Key": "once"}}
    for _ in range(2):
        world.api("POST", "/v1/keys", world.operator, **again)
    world.api("POST", "/v1/keys", keys["admin"][1], json={"name": "mine", "permissions": ["datasets:read"]})
    printed = keys["reader"][1]
    keys["mistyped"] = (keys["reader"][0], printed[:-1] + ("a" if printed[-1] != "a" else "b"))
    keys["unknown"] = ("key_000000000000", world.foreign)
    keys["wrong"] = (keys["reader"][0], "sck_live_" + "x" * 61)
    return keys


def used_badly(world, keys):
    """Every key everywhere, right and wrong."""
    for _, printed in [*keys.values(), ("", world.operator)]:
        for path in ("/v1/whoami", "/v1/keys", "/v1/audit/entries", "/nothing", "/v1/changes?after=-1&mark=x"):
            world.api("GET", path, printed)
        world.api("GET", "/v1/keys", headers={"X-API-Key": printed})
        world.api("GET", "/v1/keys", printed, headers={"X-API-Key": printed})
        basic = base64.b64encode(f"key:{printed}".encode()).decode()
        for field in (
            {"Authorization": f"Basic {basic}"},
            {"Authorization": f"Bearer {printed}, Bearer {printed}"},
            {"Authorization": printed},
            {"Cookie": f"key={printed}"},
            {"X-Request-Id": printed},
            {"X-Forwarded-For": printed},
            {"User-Agent": printed, "Referer": f"http://a/?key={printed}"},
        ):
            world.api("GET", "/v1/keys", headers=field)
            world.api(
                "GET", "/v1/keys", world.operator, headers={k: v for k, v in field.items() if k != "Authorization"}
            )
        for door in ("nginx", "haproxy", "forwarded"):
            asked = {
                "X-Original-Method": "POST",
                "X-Original-URI": f"/queries/{printed}/run",
                "X-Original-Client": "192.0.2.7",
                "X-Forwarded-Method": "POST",
                "X-Forwarded-Uri": f"/queries/{quote(printed)}/run?key={printed}",
                "X-Forwarded-For": "192.0.2.7",
            }
            world.api("GET", f"/check/{door}", printed, headers=asked)
            asked |= {"X-Original-Method": printed, "X-Forwarded-Method": printed}
            world.api("GET", f"/check/{door}", printed, headers=asked)
        world.api("GET", f"/v1/keys/{printed}", world.operator)
        world.api("POST", f"/v1/keys/{printed}/revoke", world.operator, json={"reason": "other"})
        world.api("GET", f"/v1/keys?key={printed}&cursor={quote(printed)}", world.operator)
        asked = {"key": printed, "permissions": ["datasets:read"]}
        world.api("POST", "/v1/verify", world.operator, json=asked)
        world.api("POST", "/v1/verify", world.operator, json={"key": printed, "operation": "GET /datasets"})
        whole = json.dumps(asked)
        for body in (whole[:-3], whole + "]", f'"{printed}"', f"[{whole}]", whole.replace("key", "kei")):
            world.api("POST", "/v1/verify", world.operator, content=body)
        for wrong in ({"permissions": [printed]}, {"permissions": printed}, {"operation": printed}, {printed: 1}):
            world.api("POST", "/v1/verify", world.operator, json=asked | wrong, echoed=True)
            world.api("POST", "/v1/keys", world.operator, json={"name": 1, "permissions": []} | wrong, echoed=True)
        world.api("POST", "/v1/journal", keys["follower"][1], json={"format": printed})
        world.api("POST", "/v1/verify", world.operator, json=asked, headers={"Content-Type": printed})
    for path in ("/metrics", "/healthz", "/readyz"):
        world.api("GET", path)


def followed(world, keys):
    """A data plane elsewhere, with and without its control plane."""
    home = world.folder / "plane"
    home.mkdir()
    shutil.copy(world.settings.home / "pepper", home / "pepper")
    with Scopekey.connect(world.url, key=keys["follower"][1], home=home) as plane:
        for _, printed in keys.values():
            plane.check(printed, "datasets:read", address="192.0.2.7")
        time.sleep(0.5)
        world.keep_files()
        for said in (plane.settings, plane.verifier, plane):
            world.told["output"].write(f"{said!r} {said}\n")
    with (
        contextlib.suppress(Exception),
        Scopekey.connect(world.url, key=keys["revoked"][1], home=home) as plane,
    ):
        plane.check(world.operator, "datasets:read")
    with (
        contextlib.suppress(Exception),
        Scopekey.connect("http://127.0.0.1:1", key=keys["follower"][1], home=home) as plane,
    ):
        plane.check(world.operator, "nothing at all")


def commanded(world, keys):
    """Commands on the home folder and over HTTP, good and bad ones."""
    for name in ("reader", "revoked", "mistyped", "unknown", "wrong"):
        printed = keys[name][1]
        world.command("check", "-", "datasets:read", stdin=printed)
        world.command("check", printed, "datasets:read")
        for given in ({"api_key": printed}, {"api_key": printed, "url": world.url}):
            world.command("keys", "list", **given)
            world.command("audit", "search", **given)
    world.command("keys", "list", api_key=world.operator, url="http://127.0.0.1:1")
    made = world.folder.parent / f"{world.folder.name}.key"
    made.unlink(missing_ok=True)
    world.command("keys", "create", "By command", "-p", "datasets:read", "--key-file", made)
    world._known("by command", made.read_text().strip())
    made.unlink()
    world.command("keys", "list", pepper="not a pepper " + (world.settings.home / "pepper").read_text().strip())
    seed = (world.settings.home / "signing_key").read_text().strip()
    world.command("audit", "public-key", signing_key=seed + "00")
    world.command("audit", "public-key", signing_key="zz" + seed)
    # Whatever breaks in a command, at whatever point, what it shows is no secret.
    whole = Watch()
    world.command("check", "-", "datasets:read", stdin=keys["reader"][1], watch=whole)
    for number, point in enumerate(random.Random(7).sample(whole.points, 16)):
        fault = (RuntimeError, ValueError, OSError, KeyError)[number % 4]
        watch = Watch(point, fault("broken"))
        world.command("check", "-", "datasets:read", stdin=keys["reader"][1], watch=watch)


def broken(world, keys):
    """Faults under a running server; what is raised holds a secret itself."""
    said = f"canary {world.operator} {keys['reader'][1]} {(world.settings.home / 'pepper').read_text()}"

    def fails(*_, **__):
        raise RuntimeError(said)

    def everything():
        for printed in (world.operator, keys["reader"][1], keys["admin"][1]):
            world.api("GET", "/v1/keys", printed)
            world.api("POST", "/v1/keys", printed, json={"name": "b", "permissions": ["datasets:read"]})
            world.api("POST", "/v1/verify", printed, json={"key": printed, "permissions": ["datasets:read"]})
            world.api("GET", "/check/nginx", printed, headers=DOOR)
        world.api("GET", "/v1/audit/entries", world.operator)

    for owner, name in (
        (Store, "writing"),
        (Store, "reading"),
        (Verifier, "decide"),
        (LmdbIndex, "look"),
        (type(world.node.journal), "append"),
        (type(world.node.authority.pepper), "digest"),
    ):
        with world.patch.context() as patch:
            patch.setattr(owner, name, fails)
            everything()
    with contextlib.closing(sqlite3.connect(world.settings.home / "scopekey.db", isolation_level=None)) as lock:
        lock.execute("BEGIN IMMEDIATE")
        everything()
        lock.execute("ROLLBACK")
    journal = world.settings.home / "journal"
    journal.rename(journal.with_name("aside"))
    journal.touch()
    world.node.journal.close()
    everything()
    journal.unlink()
    journal.with_name("aside").rename(journal)
    everything()


def read_back(world, keys):
    """What is told of all this, by every way of reading the log."""
    for secret in (world.operator, keys["auditor"][1]):
        for path in ("entries?limit=200", "export?format=jsonl", "export?format=csv", "checkpoint", "entries/7"):
            world.api("GET", f"/v1/audit/{path}", secret)
    for words in (
        ("search", "-n", "5000"),
        ("search", "--json", "-n", "5000"),
        ("tail", "--no-follow", "-n", "5000"),
        ("export",),
        ("export", "--format", "csv"),
        ("prove", "7"),
        ("verify",),
        ("public-key",),
    ):
        world.command("audit", *words)
    world.command("audit", "export", "--format", "parquet", "-o", world.folder / "log.parquet")
    world.command("audit", "archive", world.folder / "archive", "--older-than", "0s")
    world.command("keys", "usage", keys["reader"][0])
