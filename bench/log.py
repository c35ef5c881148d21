"""The audit log as it grows: proving one entry, searching by key, verifying all of it, and its size on the disk."""

from pathlib import Path
from random import Random

from bench.made_log import KEYS, ORIGIN, SEED, key_of, make_log
from bench.measure import Result, Round, interleaved, short
from scopekey.audit.checkpoint import unverified_checkpoint
from scopekey.audit.merkle import inclusion_proof, leaf_hash, verify_inclusion
from scopekey.audit.note import verifier_key
from scopekey.audit.tiles import node_of
from scopekey.audit.verify import verify_log
from scopekey.store.engine import Store
from scopekey.store.log_reader import EntryFilter
from scopekey.store.store_log import StoreLog

SIZES = (1_000, 100_000, 10_000_000)
PROOFS, SEARCHES, PAGE = 50, 20, 50


def bench_log(folder: Path, most: int) -> list[Result]:
    """Measure on SQLite, for each size up to the most."""
    results = []
    for size in [size for size in SIZES if size < most] + [most]:
        place = folder / f"log-{size}"
        store = make_log(place, size)
        results += _reading(store, size)
        results.append(_verifying(store, size))
        stored = (place / "store.db").stat().st_size
        note = "body, hash tiles, and what it is searched by; use is not among it"
        results.append(Result(f"audit.entry_{short(size)}.bytes", round(stored / size), "B", size, note))
        store.close()
        for file in place.iterdir():
            file.unlink()
    return results


def _reading(store: Store, size: int) -> list[Result]:
    random = Random(5)
    found = interleaved({"proof": _proving(store, size, random), "search": _searching(store, size, random)})
    proof, search = found["proof"], found["search"]
    return [
        Result(
            f"audit.proof_{short(size)}.ms",
            round(proof.median / 1e6, 3),
            "ms",
            proof.n,
            f"one entry among {size:,} read and proved, in a transaction of its own; rounds: {proof.spread}",
        ),
        Result(
            f"audit.search_{short(size)}.ms",
            round(search.median / 1e6, 2),
            "ms",
            search.n,
            f"the newest {PAGE} entries of one of {KEYS:,} keys among {size:,}; rounds: {search.spread}",
        ),
    ]


def _proving(store: Store, size: int, random: Random) -> Round:
    def round_() -> int:
        for _ in range(PROOFS):
            index = random.randrange(size)
            with store.reading() as tx:
                entry = tx.log_reader.entry(index)
                proof = inclusion_proof(index, size, node_of(tx.log.tile))
                newest = tx.log.checkpoint()
            assert entry is not None
            assert newest is not None
            root = unverified_checkpoint(newest.note).root
            verify_inclusion(index, size, leaf_hash(entry.body), proof, root)
        return PROOFS

    return round_


def _searching(store: Store, size: int, random: Random) -> Round:
    def round_() -> int:
        for _ in range(SEARCHES):
            wanted = EntryFilter(key=key_of(random.randrange(KEYS)))
            with store.reading() as tx:
                found = tx.log_reader.search(wanted, after=-1, before=size, most=PAGE)
            assert found.entries or size <= KEYS
        return SEARCHES

    return round_


def _verifying(store: Store, size: int) -> Result:
    key = verifier_key(ORIGIN, SEED)

    def round_() -> int:
        with store.reading() as tx:
            assert verify_log(StoreLog(tx), key)
        return size

    rounds = 3 if size > max(SIZES[:-1]) else 5
    timing = interleaved({"verify": round_}, rounds if size < max(SIZES) else 1)["verify"]
    note = f"all of {size:,} entries derived again, their columns compared; rounds: {timing.spread} an entry"
    return Result(f"audit.verify_{short(size)}.per_s", round(1e9 / timing.median), "/s", timing.n, note)
