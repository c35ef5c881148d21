"""A made-up deployment to measure with: one organization, the demo's catalog, and as many keys as are wanted.

Every figure comes from the same keys in every run: the randomness is seeded, and nothing here is a secret.
"""

from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from random import Random

import msgspec

import scopekey.demo
from scopekey.core.catalog import Catalog
from scopekey.core.change import MARK_SIZE, Change
from scopekey.core.digest import DIGEST_SIZE, Pepper
from scopekey.core.grant import Register
from scopekey.core.ids import ALPHABET, KeyId, organization_id
from scopekey.core.key import Key, Secret
from scopekey.core.keyformat import SECRET_RANDOM, KeyFormat
from scopekey.core.organization import Organization, Policy
from scopekey.core.rules import Rules
from scopekey.replica.clock import milliseconds
from scopekey.replica.event import Event
from scopekey.replica.freshness import HomeFreshness
from scopekey.replica.index import Place
from scopekey.replica.journal import DONE, Journal, Ticket
from scopekey.replica.lmdb_index import LmdbIndex
from scopekey.replica.verifier import Verifier
from scopekey.wire.catalog_file import read_catalog

PEPPER_TEXT = bytes(range(32)).hex()
PEPPER = Pepper(bytes.fromhex(PEPPER_TEXT))
KEY_FORMAT = KeyFormat()
NEEDED = "datasets:read"
SAMPLE = 16_384
"""Keys whose printed form is known: spread evenly over all, so that checks touch the whole file."""

_THREE = 62**3
_DAY = 86_400_000
_BATCH = 65_536
_MARK = bytes(MARK_SIZE)


class Forgetful:
    """A journal that costs as little as one can."""

    def append(self, event: Event) -> Ticket:  # noqa: ARG002 - as journals are called
        """Forget an event."""
        return DONE

    def close(self) -> None:
        """There is nothing to write."""


def demo_catalog() -> Catalog:
    file = Path(scopekey.demo.__file__).with_name("catalog.toml")
    return read_catalog(file.read_text("utf-8"), file.name)


def _organization(number: int) -> Organization:
    """The one of that number; the first is the operator."""
    made = organization_id(number.to_bytes(16, "big"))
    return Organization(made, f"Benchmark {number}", operator=not number, policy=Policy(never_expires=True))


REGISTER = Register.first(demo_catalog())
ORGANIZATION = _organization(0)


class World(msgspec.Struct, frozen=True):
    """A loaded replica, and the printed keys that are known of it, in random order."""

    keys: int
    folder: Path
    printed: list[str]
    load_seconds: float
    """How long the load took, the making of its keys included."""
    making_seconds: float
    """How long making the same keys takes alone."""
    needed: str = NEEDED
    """A permission that every key holds."""

    def file_bytes(self) -> int:
        """What the files of the replica take on the disk."""
        return sum(file.stat().st_blocks * 512 for file in self.folder.rglob("*") if file.is_file())


def verifier(folder: Path, journal: Journal | None = None) -> Verifier:
    """A verifier as the server has it, over the replica in a folder."""
    index = LmdbIndex(folder)
    return Verifier(
        index,
        key_format=KEY_FORMAT,
        peppers={PEPPER.id: PEPPER},
        journal=journal or Forgetful(),
        clock=milliseconds,
        freshness=HomeFreshness(index.behind_since, stale_after=60_000, refuse_after=3_600_000),
    )


class Population:
    """Keys in the order of their ids. What is known of a sample is its printed form; of the others, nothing.

    They belong to so many organizations in turn, and each holds the permission that is needed.
    """

    def __init__(
        self,
        count: int,
        rules: Rules | None = None,
        *,
        organizations: int = 1,
        register: Register = REGISTER,
        needed: str = NEEDED,
    ) -> None:
        self.count = count
        self.needed = needed
        self.printed: list[str] = []
        self._rules = rules or Rules()
        self._register = register
        self._organizations = [_organization(number) for number in range(organizations)]

    def snapshot(self) -> Iterator[Change]:
        """Everything as a store would give it to a replica that starts anew."""
        states = (self._register, self._rules, *self._organizations)
        for position, state in enumerate(chain(states, self._keys()), start=1):
            yield Change(position, _MARK, state)

    @property
    def place(self) -> Place:
        """Where the replica is once it is loaded."""
        return Place("benchmark", self.count + 2 + len(self._organizations), _MARK)

    def _keys(self) -> Iterator[Key]:
        random = Random(20_261_123)
        self.printed = []
        every = max(1, self.count // SAMPLE)
        now, ends = milliseconds(), milliseconds() + 90 * _DAY
        least = self._register.parse([self.needed])
        grants = [least | random.getrandbits(self._register.next_bit) for _ in range(32)]
        owners = [organization.id for organization in self._organizations]
        for at, (key_id, digest) in enumerate(self._identities(random)):
            shown = digest
            if at % every == 0 and len(self.printed) < SAMPLE:
                printed = KEY_FORMAT.print("live", key_id, random.randbytes(SECRET_RANDOM))
                self.printed.append(printed)
                shown = PEPPER.digest(printed)
            secret = Secret(shown, PEPPER.id)
            yield Key(key_id, 1, owners[at % len(owners)], "live", (secret,), grants[at & 31], now, ends)

    def _identities(self, random: Random) -> Iterator[tuple[KeyId, bytes]]:
        """Ids spread evenly over all there can be, in order, each with a pseudo-random digest."""
        thirds = [a + b + c for a in ALPHABET for b in ALPHABET for c in ALPHABET]
        step = _THREE * _THREE // self.count
        for begin in range(0, self.count, _BATCH):
            size = min(_BATCH, self.count - begin)
            noise = random.randbytes(DIGEST_SIZE * size)
            for at in range(size):
                high, low = divmod((begin + at) * step, _THREE)
                digest = noise[DIGEST_SIZE * at : DIGEST_SIZE * (at + 1)]
                tail = int.from_bytes(digest[:6], "little")
                third, fourth = thirds[tail % _THREE], thirds[(tail >> 24) % _THREE]
                yield KeyId(f"key_{thirds[high]}{thirds[low]}{third}{fourth}"), digest
