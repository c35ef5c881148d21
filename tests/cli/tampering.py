"""A real log of some hundred entries, and what somebody with the database can do to it, in places drawn by chance.

Each kind of tampering changes a copy, and gives what a verification of it has to say.
"""

import json
import shutil
from contextlib import closing, contextmanager
from typing import NamedTuple

import psycopg
from sqlalchemy import delete, insert, select, update
from starlette.testclient import TestClient

from scopekey.audit.checkpoint import Checkpoint, parse_checkpoint, sign_checkpoint
from scopekey.audit.entry import canonical, read_entry
from scopekey.audit.merkle import leaf_hash
from scopekey.audit.tiles import Growth
from scopekey.demo.platform import CATALOG
from scopekey.server.app import ControlPlane
from scopekey.server.beginning import begin
from scopekey.server.node import Node
from scopekey.settings import Settings
from scopekey.store.engine import Store
from scopekey.store.entry_columns import columns_of
from scopekey.store.log_tables import checkpoints, entries, log, tiles
from scopekey.store.migrate import upgrade

STAGES = (180, 130, 290)
"""How many checks each stage makes; a checkpoint follows each."""
NAMES = [column.name for column in entries.columns]
OPTIONAL = ("organization", "key", "action", "operation", "request_id", "outcome")


class Sqlite:
    """A home folder with its database in it."""

    def __init__(self, folder):
        self.folder = folder

    def new(self, name):
        return Deployment(self.folder / name, None)

    @contextmanager
    def copy_of(self, original, name):
        shutil.copytree(original.home, self.folder / name)
        yield Deployment(self.folder / name, None)
        shutil.rmtree(self.folder / name)


class Postgresql:
    """A home folder, and a database on a server."""

    def __init__(self, folder, server):
        self.folder, self.server = folder, server

    def new(self, name):
        self._run(f"CREATE DATABASE tamper_{name}")
        url = self.server.get_uri(f"tamper_{name}")
        upgrade(url)
        return Deployment(self.folder / name, url)

    @contextmanager
    def copy_of(self, original, name):
        shutil.copytree(original.home, self.folder / name)
        self._run(f"CREATE DATABASE tamper_{name} TEMPLATE tamper_{original.home.name}")
        yield Deployment(self.folder / name, self.server.get_uri(f"tamper_{name}"))
        self._run(f"DROP DATABASE tamper_{name} WITH (FORCE)")
        shutil.rmtree(self.folder / name)

    def _run(self, statement):
        with psycopg.connect(self.server.get_uri(), autocommit=True) as connection:
            connection.execute(statement)


class Deployment:
    """Where a log is, and the settings with which a command finds it."""

    def __init__(self, home, url):
        self.home, self.url = home, url
        self.words = {"home": home} | ({} if url is None else {"database_url": url})

    def settings(self, **more):
        return Settings(**self.words, **more)

    @contextmanager
    def writing(self):
        with closing(Store(self.settings().store_url)) as store, store.writing() as tx:
            yield Tampering(tx, self.settings().signing_seed())


def fill(deployment, heads, between):
    """Begin a deployment and use it until its log has some hundred entries; `between` is called before the last."""
    operator = begin(deployment.settings(catalog=CATALOG))
    for stage, checks in enumerate(STAGES):
        if stage == len(STAGES) - 1:
            between()
        node = Node.open(deployment.settings(log_heads=(str(heads),)))
        try:
            _use(node, operator, f"stage {stage}", checks)
            node.hand_over()
            node.seal()
        finally:
            node.close()


def _use(node, operator, name, checks):
    with TestClient(ControlPlane(node, close=False), client=("127.0.0.1", 1)) as api:

        def call(method, path, body=None, secret=operator, status=200):
            answer = api.request(method, path, json=body, headers={"Authorization": f"Bearer {secret}"})
            assert status == answer.status_code, answer.text
            return answer.json()

        tenant = call("POST", "/v1/organizations", {"name": name}, status=201)["id"]
        asked = {"name": name, "permissions": ["datasets:read"], "organization": tenant}
        made = [call("POST", "/v1/keys", asked, status=201) for _ in range(6)]
        first, second, third = (one["key"]["id"] for one in made[:3])
        call("PATCH", f"/v1/keys/{first}", {"name": name + ", renamed"})
        call("POST", f"/v1/keys/{second}/rotate", {"overlap": "1d"}, status=201)
        call("POST", f"/v1/keys/{third}/revoke", {"reason": "compromised"})
        call("GET", "/v1/keys", secret=made[0]["secret"], status=401)
        call("GET", "/v1/keys", secret="sck_live_nothing", status=401)
    for number in range(checks):
        needed = "datasets:write" if number % 7 == 0 else "datasets:read"
        secret = made[number % len(made)]["secret"]
        _, ticket = node.verifier.ask(secret, [needed], address="192.0.2.7", request_id=f"req_{number}")
    ticket.wait()


class Verdict(NamedTuple):
    """What is told of a changed log, as a pattern. Where `head` is set, only a verification with it finds anything."""

    told: str
    head: str | None = None
    blind: str | None = None
    """A head that was kept too early to tell."""


class Tampering:
    """All of a log's tables, in one transaction that is the tamperer's own."""

    def __init__(self, tx, seed):
        self.tx, self.seed = tx, seed
        self.run = tx.connection.execute
        self.rows = [list(row) for row in self.run(select(entries).order_by(entries.c.log_index))]
        self.points = [row._mapping for row in self.run(select(checkpoints).order_by(checkpoints.c.size))]

    def write(self, rows):
        """Put these rows in the place of all, numbered from the first on, and say so in the log's own row."""
        self.run(delete(entries))
        self.run(insert(entries), [dict(zip(NAMES, [at, *row[1:]], strict=True)) for at, row in enumerate(rows)])
        self.run(update(log).values(size=len(rows), folded=len(rows)))

    def derive(self, rows, sign=None):
        """Make tiles and checkpoints of these rows; a note is signed anew by `sign`, or left as it was."""
        tree, at = Growth(0, lambda *_: b""), 0
        self.run(delete(tiles))
        self.run(delete(checkpoints).where(checkpoints.c.size > len(rows)))
        for point in [point for point in self.points if point["size"] <= len(rows)]:
            tree.extend([leaf_hash(bytes(row[-1])) for row in rows[at : point["size"]]])
            at = point["size"]
            note = point["note"] if sign is None else sign(Checkpoint(origin(point["note"]), at, tree.root()))
            self.run(update(checkpoints).where(checkpoints.c.size == at).values(note=note))
        assert at == len(rows), "a log ends with a checkpoint"
        self.tx.log.put_tiles(tree.changed())


def origin(note):
    return parse(note).origin


def parse(note):
    return parse_checkpoint(note.rpartition("\n\n")[0] + "\n")


def changed_byte(log, draw):
    row = draw.choice(log.rows)
    body = bytearray(row[-1])
    body[draw.randrange(len(body))] ^= draw.randrange(1, 256)
    log.run(update(entries).where(entries.c.log_index == row[0]).values(body=bytes(body)))
    return Verdict(rf"\bentry {row[0]}\b")


def changed_byte_and_use_told_anew(log_, draw):
    verdict = changed_byte(log_, draw)
    log_.run(update(log).values(folded=0))
    return verdict


def changed_column(log, draw):
    row, name = draw.choice(log.rows), draw.choice(["at", "kind", *OPTIONAL])
    stands = row[NAMES.index(name)]
    if name == "at":
        value = stands + draw.choice([-1, 1])
    else:
        value = None if stands is not None and name in OPTIONAL and draw.random() < 0.5 else (stands or "") + "x"
    log.run(update(entries).where(entries.c.log_index == row[0]).values({name: value}))
    return Verdict(f"the row of entry {row[0]} says other things than the entry: it is found by another {name} than it")


def deleted_row(log, draw):
    at = draw.choice(log.rows)[0]
    log.run(delete(entries).where(entries.c.log_index == at))
    return Verdict(f"entry {at} is gone")


def deleted_row_and_closed_gap(log, draw):
    at = draw.randrange(len(log.rows) - 1)
    log.write(log.rows[:at] + log.rows[at + 1 :])
    return Verdict(f"entry {at} is gone: what stands in its place was sealed as entry {at + 1}")


def inserted_row(log, draw):
    at = draw.randrange(len(log.rows) + 1)
    log.write([*log.rows[:at], forged(log, draw), *log.rows[at:]])
    return Verdict(f"there is an entry {at}, and only" if at == len(log.rows) else f"entry {at} was put in")


def swapped_rows(log, draw):
    low, high = sorted(draw.sample(range(len(log.rows)), 2))
    rows = list(log.rows)
    rows[low], rows[high] = rows[high], rows[low]
    log.write(rows)
    return Verdict(rf"\bentry {low}\b")


def cut_short(log, draw):
    end = draw.choice(log.points[:-1])["size"]
    log.write(log.rows[:end])
    log.derive(log.rows[:end])
    head = draw.choice([point for point in log.points if point["size"] > end])
    return Verdict(f"a head kept elsewhere is of {head['size']} entries, and the log has {end}", head["note"])


def rewritten_without_the_signing_key(log, draw):
    rows, at = rewritten(log, draw)
    log.write(rows)
    log.derive(rows)
    size = min(point["size"] for point in log.points if point["size"] > at)
    return Verdict(f"the checkpoint of {size} entries has another root")


def rewritten_and_signed_by_another(log, draw):
    rows, _ = rewritten(log, draw)
    log.write(rows)
    log.derive(rows, lambda checkpoint: sign_checkpoint(checkpoint, draw.randbytes(32)))
    return Verdict("the newest checkpoint cannot be believed")


def rewritten_with_the_signing_key(log, draw):
    rows, at = rewritten(log, draw)
    log.write(rows)
    log.derive(rows, lambda checkpoint: sign_checkpoint(checkpoint, log.seed))
    head = draw.choice([point for point in log.points if point["size"] > at])
    early = [point["note"] for point in log.points if point["size"] <= at]
    told = f"a head kept elsewhere of {head['size']} entries has another root than these entries: one of them is not"
    return Verdict(told, head["note"], early[-1] if early else None)


def rewritten(log, draw):
    """The rows with one of them another, in all its columns; and its index."""
    at = draw.randrange(len(log.rows))
    rows = list(log.rows)
    rows[at] = forged(log, draw)
    return rows, at


def forged(log, draw):
    """A row that could be a real one: somebody else's entry, with a nonce of its own."""
    members = json.loads(draw.choice(log.rows)[-1])
    entry = read_entry(json.dumps(members | {"nonce": draw.randbytes(16).hex()}).encode())
    return [0, *columns_of(entry, canonical(entry))]


KINDS = [
    changed_byte,
    changed_byte_and_use_told_anew,
    changed_column,
    deleted_row,
    deleted_row_and_closed_gap,
    inserted_row,
    swapped_rows,
    cut_short,
    rewritten_without_the_signing_key,
    rewritten_and_signed_by_another,
    rewritten_with_the_signing_key,
]
