"""Promise: whatever is changed in the database or the archive, `scopekey audit verify` says so and names where.

What can be changed without a trace in the log itself, a head that was kept elsewhere shows. The places are
drawn by chance: `--tamper-rounds 200` tries many, and a failure tells the seed.
"""

import itertools
import json
import random
import re
import shutil
from contextlib import closing

import pytest

from scopekey.audit.checkpoint import sign_checkpoint
from scopekey.audit.tiles import bundle_path, decode_bundle, tile_path
from scopekey.authority.archive_log import archive_log
from scopekey.store.engine import Store
from tests.cli.tampering import KINDS, STAGES, Postgresql, Sqlite, fill, parse

SEED = 20_261_126
numbered = itertools.count()


@pytest.fixture(scope="module", params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def kept(request, tmp_path_factory):
    """A place for deployments, one of them, an older copy of it, and the file of the heads that were kept."""
    folder = tmp_path_factory.mktemp(request.param)
    if request.param == "sqlite":
        place = Sqlite(folder)
    else:
        place = Postgresql(folder, request.getfixturevalue("postgres_server"))
    whole, heads = place.new("whole"), folder / "heads"
    older = place.copy_of(whole, "older")
    found = []
    fill(whole, heads, between=lambda: found.append(older.__enter__()))
    yield place, whole, found[0], heads
    older.__exit__(None, None, None)


@pytest.fixture
def copy(kept):
    """Make a copy to change."""
    return lambda: kept[0].copy_of(kept[1], f"copy{next(numbered)}")


@pytest.fixture
def verify(command, folder):
    """Verify a deployment's log with the command; a head is a note that was kept, or a file of them."""

    def verify(deployment, head=None, **settings):
        if isinstance(head, str):
            (folder / "head").write_text(head)
            head = folder / "head"
        words = () if head is None else ("--head", head)
        ended = command("audit", "verify", *words, **deployment.words, **settings)
        assert (ended.code == 0) is ("the log is intact" in ended.out) is (ended.err == ""), ended
        return ended

    return verify


def rounds(request):
    return request.config.getoption("--tamper-rounds")


def notes(heads):
    return [json.loads(line)["checkpoint"] for line in heads.read_text().splitlines()]


def test_a_copy_that_nobody_changed_is_intact(kept, copy, verify):
    *_, heads = kept
    assert len(STAGES) == len(notes(heads))
    with copy() as copied:
        ended = verify(copied, heads)
    assert (0, True) == (ended.code, f", {len(STAGES)} checkpoints, {len(STAGES)} heads: the log is" in ended.out)
    assert int(ended.out.split()[0]) > 3 * 256 - 100


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_what_is_changed_in_the_database_is_found_and_named(request, kept, copy, verify, kind):
    for seed in range(SEED, SEED + rounds(request)):
        with copy() as copied:
            with copied.writing() as log:
                verdict = kind(log, random.Random(f"{kind.__name__} {seed}"))
            plain = verify(copied)
            if verdict.head is None:
                assert (1, True) == (plain.code, bool(re.search(verdict.told, plain.err))), (seed, verdict, plain)
                continue
            assert 0 == plain.code, (seed, plain)
            with_head = verify(copied, verdict.head)
            assert (1, True) == (with_head.code, bool(re.search(verdict.told, with_head.err))), (
                seed,
                verdict,
                with_head,
            )
            assert 1 == verify(copied, kept[3]).code, "all heads that were kept"
            if verdict.blind is not None:
                assert 0 == verify(copied, verdict.blind).code, "it was kept before the entry came"


def test_an_older_copy_that_is_put_back_is_shown_by_a_head(kept, verify):
    _, _, older, heads = kept
    ended = verify(older)
    assert 0 == ended.code
    size = int(ended.out.split()[0])
    for head in (heads, notes(heads)[-1]):
        ended = verify(older, head)
        assert (1, True) == (ended.code, f"entries, and the log has {size}: it was cut off, or put back" in ended.err)
    assert 0 == verify(older, notes(heads)[0]).code


def test_a_log_that_is_derived_again_and_not_changed_is_the_same(kept, copy, verify):
    with copy() as copied:
        with copied.writing() as log:
            log.write(log.rows)
            log.derive(log.rows, lambda checkpoint: sign_checkpoint(checkpoint, log.seed))
        assert 0 == verify(copied, kept[3]).code


@pytest.fixture
def archived(copy, folder):
    """A copy whose whole bundles were moved to a folder, its settings, and the folder."""
    with copy() as copied:
        archive = folder / "archive"
        with closing(Store(copied.settings().store_url)) as store:
            assert (0, 512) == archive_log(store, archive, before=2**53)
        yield copied, archive


@pytest.fixture
def alone(archived, command, folder):
    """Verify the archive by itself, with the log's public key."""
    copied, archive = archived
    (folder / "log.pub").write_text(command("audit", "public-key", **copied.words).out)
    return lambda: command("audit", "verify", "--log", archive, "--public-key", "log.pub")


def byte_of_an_entry(archive, draw):
    number = draw.randrange(2)
    bundle = archive / bundle_path(number)
    whole = bundle.read_bytes()
    at = draw.randrange(256)
    begins = sum(2 + len(body) for body in decode_bundle(whole)[:at]) + 2
    place = begins + draw.randrange(len(decode_bundle(whole)[at]))
    bundle.write_bytes(whole[:place] + bytes([whole[place] ^ draw.randrange(1, 256)]) + whole[place + 1 :])
    return rf"\bentry {256 * number + at}\b"


def length_of_an_entry(archive, draw):
    bundle = archive / bundle_path(0)
    whole = bundle.read_bytes()
    at = draw.randrange(256)
    place = sum(2 + len(body) for body in decode_bundle(whole)[:at])
    bundle.write_bytes(whole[:place] + b"\xff\xff" + whole[place + 2 :])
    # What follows may even be read as a bundle, of fewer entries.
    return r"\bentry 0\b|\bentries from 0 to 255\b"


def missing_bundle(archive, draw):
    number = draw.randrange(2)
    (archive / bundle_path(number)).unlink()
    return f"the entries from {256 * number} to {256 * number + 255} are gone"


def cut_bundle(archive, draw):
    number = draw.randrange(2)
    bundle = archive / bundle_path(number)
    bundle.write_bytes(bundle.read_bytes()[: -draw.randrange(1, 1_000)])
    return rf"\bentry {256 * number}\b"


def swapped_bundles(archive, _):
    first, second = (archive / bundle_path(number) for number in range(2))
    before = first.read_bytes()
    shutil.copyfile(second, first)
    second.write_bytes(before)
    return r"\bentry 0\b"


@pytest.mark.parametrize(
    "kind",
    [byte_of_an_entry, length_of_an_entry, missing_bundle, cut_bundle, swapped_bundles],
    ids=lambda kind: kind.__name__,
)
def test_what_is_changed_in_the_archive_is_named(archived, alone, verify, request, kind):
    copied, archive = archived
    assert 0 == verify(copied, audit_archive=archive).code
    assert alone().out.startswith("512 of ")
    for seed in range(SEED, SEED + rounds(request)):
        shutil.copytree(archive, archive.parent / "untouched")
        told = kind(archive, random.Random(f"{kind.__name__} {seed}"))
        ended = verify(copied, audit_archive=archive)
        assert (1, True) == (ended.code, bool(re.search(told, ended.err))), (seed, ended)
        by_itself = alone()
        # Without its last bundle it is a shorter archive, and says so.
        assert by_itself.code == 1 or by_itself.out.startswith("256 of "), (seed, by_itself)
        shutil.rmtree(archive)
        (archive.parent / "untouched").rename(archive)


def test_what_was_moved_and_then_dropped_is_missed_where_the_archive_is(archived, verify):
    copied, archive = archived
    shutil.rmtree(archive)
    ended = verify(copied, audit_archive=archive)
    assert (1, True) == (ended.code, "the entries from 0 to 511 are gone, of " in ended.err)
    assert " from 512 on, " in verify(copied).out, "it says what it did not read"


def test_a_hash_tile_of_the_archive_is_not_believed(archived, alone):
    _, archive = archived
    tile = archive / tile_path(0, 1)
    tile.write_bytes(bytes(32) + tile.read_bytes()[32:])
    assert "The log is not intact: " in alone().err
    note = (archive / "checkpoint").read_text()
    (archive / "checkpoint").write_text(note.replace(f"\n{parse(note).size}\n", f"\n{parse(note).size - 1}\n"))
    assert 1 == alone().code
