"""Where the time of one check goes: each part over the same keys in the same rounds, and what is left over.

Parts that can be called by themselves are timed so, less the loop around them. The others are differences: what
reading a record costs is a look-up of a key that was not read since the last change, less one of a key that was; what
an event costs is a recorded check less an unrecorded one.
"""

from collections.abc import Callable, Sequence
from hmac import compare_digest
from pathlib import Path
from typing import Any

from bench.check import repeated
from bench.deployed import NODE
from bench.load import load
from bench.measure import Result, Round, interleaved
from bench.world import KEY_FORMAT, NEEDED, ORGANIZATION, PEPPER, REGISTER, Forgetful, World, verifier
from scopekey.core.decide import decide
from scopekey.core.requirement import Requirement, need
from scopekey.replica.clock import milliseconds
from scopekey.replica.file_journal import FileJournal
from scopekey.replica.kept import NOTHING_KEPT

KEYS = 100_000
_NEED = need(Requirement.all_of(REGISTER.catalog.permission(NEEDED)), REGISTER)
_EVENTS = 10_000


def bench_parts(folder: Path) -> list[Result]:
    timings = interleaved(_Subjects(load(folder, KEYS)).rounds())
    loop = timings["loop"].median
    cost = {name: timing.median - loop for name, timing in timings.items()}
    calls, note = timings["check"].n, f"{KEYS:,} keys; the loop around it, {loop:.0f} ns, is taken off"
    whole = [
        ("whole", cost["check"], f"Verifier.check, which records nothing; {note}; rounds: {timings['check'].spread}"),
        ("recorded", cost["ask"] + cost["append"], "Verifier.ask and the journal's append: a check with its record"),
    ]
    return [
        Result(f"check.part.{name}.ns", round(value, 1), "ns", calls, said)
        for name, value, said in _parts(cost) + whole
    ]


def _parts(cost: dict[str, float]) -> list[tuple[str, float, str]]:
    """Each part of a check in the order of the work, what is left over, and what recording adds."""
    found = [
        ("index_now", cost["now"], "index.now: did anything change that is kept from the replica?"),
        ("clock", cost["clock"], "the time in milliseconds"),
        ("parse", cost["parse"], "KeyFormat.id_of"),
        ("freshness", cost["freshness"], "freshness.age: how far is the replica behind?"),
        ("look_up", cost["key"], "index.key of a key that was read since the last change"),
        ("digest", cost["digest"], "Pepper.digest"),
        ("compare", cost["compare"], "compare_digest of 32 bytes"),
        ("decide", cost["decide"], "core.decide.decide"),
    ]
    rest = cost["check"] - sum(value for _, value, _ in found)
    return [
        *found,
        ("rest", rest, "the check less all of these: its calls, the keys' organization, what parts cost one another"),
        ("read", cost["read"] - cost["key"], "more for a key that was not: a read view, the tree, checksum, unpacking"),
        ("event", cost["ask"] - cost["check"], "Verifier.ask on a journal that forgets, less Verifier.check"),
        ("append", cost["append"], "FileJournal.append of an event nobody waits for, the thread that writes beside it"),
    ]


class _Subjects:
    """What each part works on: the same keys as the check, in the same order."""

    def __init__(self, world: World) -> None:
        self.verifier = verifier(world.folder, Forgetful())
        self.printed = repeated(world.printed)
        self.ids = [presented.key_id for presented in map(KEY_FORMAT.parse, self.printed) if presented is not None]
        self.keys = [key for key in map(self.verifier.index.key, self.ids) if key is not None]
        assert len(self.keys) == len(self.printed)
        self.journal = FileJournal(world.folder.parent / "journal", lambda: NODE, mode="relaxed", limit=1 << 40)

    def rounds(self) -> dict[str, Round]:
        """Everything that is timed; `loop` is the loop alone."""
        index, freshness, now = self.verifier.index, self.verifier.freshness, milliseconds()
        return {
            "loop": _each(None, self.printed),
            "check": self._checking(),
            "ask": self._asking(),
            "now": _each(index.now, self.printed, given=False),
            "clock": _each(milliseconds, self.printed, given=False),
            "parse": _each(KEY_FORMAT.id_of, self.printed),
            "freshness": _each(freshness.age, [now] * len(self.printed)),
            "key": _each(index.key, self.ids),
            "read": self._reading(),
            "digest": _each(PEPPER.digest, self.printed),
            "compare": self._comparing(),
            "decide": self._deciding(now),
            "append": _each(
                self.journal.append, [self.verifier.ask(one, (NEEDED,))[0] for one in self.printed[:_EVENTS]]
            ),
            # What a round left is written here, so that no other round pays for it.
            "dropped": self._dropping(),
        }

    def _dropping(self) -> Round:
        def round_() -> int:
            self.journal.close()
            return 1

        return round_

    def _reading(self) -> Round:
        index, once = self.verifier.index, list(dict.fromkeys(self.ids))

        def round_() -> int:
            # What a change of any key does.
            index._kept = NOTHING_KEPT
            for one in once:
                index.key(one)
            return len(once)

        return round_

    def _checking(self) -> Round:
        check, printed = self.verifier.check, self.printed
        assert all(check(one, NEEDED) for one in printed)

        def round_() -> int:
            for one in printed:
                check(one, NEEDED)
            return len(printed)

        return round_

    def _asking(self) -> Round:
        ask, printed, wanted = self.verifier.ask, self.printed, (NEEDED,)

        def round_() -> int:
            for one in printed:
                ask(one, wanted)
            return len(printed)

        return round_

    def _comparing(self) -> Round:
        kept = [key.secrets[0].digest for key in self.keys]
        # Equal, and not the same object: as it is in a check.
        pairs = list(zip(kept, map(PEPPER.digest, self.printed), strict=True))

        def round_() -> int:
            for one, other in pairs:
                compare_digest(one, other)
            return len(pairs)

        return round_

    def _deciding(self, now: int) -> Round:
        pairs = [(key, key.secrets[0]) for key in self.keys]

        def round_() -> int:
            for key, secret in pairs:
                decide(key, secret, ORGANIZATION, _NEED, register=REGISTER, now=now, address=None)
            return len(pairs)

        return round_


def _each(call: Callable[..., object] | None, arguments: Sequence[Any], *, given: bool = True) -> Round:
    """A round of one call for each argument, which it is given or not; without a call the loop alone."""

    def alone() -> int:
        for _ in arguments:
            pass
        return len(arguments)

    def calling() -> int:
        assert call is not None
        for one in arguments:
            call(one)
        return len(arguments)

    def calling_bare() -> int:
        assert call is not None
        for _ in arguments:
            call()
        return len(arguments)

    return alone if call is None else calling if given else calling_bare
