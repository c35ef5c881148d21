"""A log in a folder is read file by file; what is no file of a log is said."""

import pytest

from scopekey.audit.report import Broken, Intact
from scopekey.audit.source import LogSource
from scopekey.audit.tiles import bundle_path, encode_bundle, tile_path, width_at
from scopekey.audit.verify import verify_log
from scopekey.client.audit_source import FetchedFiles, TiledLog, size_of
from scopekey.client.log_folder import LogFolder, LogFolderError
from tests.audit.logs import KEY, Log, body

BODIES = [body(number) for number in range(600)]


def write(folder, log, size):
    """Write a log as files; bundles and tiles that are not whole under their width."""
    for first in range(0, size, 256):
        width = width_at(0, first // 256, size)
        _put(folder / bundle_path(first // 256, width), encode_bundle(BODIES[first : first + width]))
    for (level, number), hashes in log.tiles.items():
        width = width_at(level, number, size)
        _put(folder / tile_path(level, number, width), hashes[: width * 32])
    _put(folder / "checkpoint", log.checkpoint().encode())


def _put(file, content):
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(content)


@pytest.fixture
def made(tmp_path):
    """A log of 600 entries, and a folder that holds it."""
    log = Log(BODIES, sizes=(256, 556))
    write(tmp_path, log, 600)
    return log, tmp_path


def source_of(folder):
    read = LogFolder(folder)
    return TiledLog(read.checkpoint(), read)


def test_a_folder_is_verified_like_any_log(made):
    log, folder = made
    source: LogSource = source_of(folder)
    found = verify_log(source, KEY, heads=log.heads())
    assert isinstance(found, Intact)
    assert (600, 0, 3) == (found.size, found.read_from, found.heads)


def test_files_that_are_fetched_are_the_same_log(made):
    _, folder = made
    fetched = []

    def fetch(path):
        fetched.append(path)
        return (folder / path).read_bytes()

    assert verify_log(TiledLog(LogFolder(folder).checkpoint(), FetchedFiles(fetch)), KEY)
    assert len(set(fetched)) == len(fetched), "each file is fetched once"


def test_a_whole_tile_stands_for_every_part_of_it(made):
    log, folder = made
    read = LogFolder(folder)
    assert BODIES[:2] == read.entries(0, 2)
    assert encode_bundle(BODIES[:1]) == read.encoded_bundle(0, 1)
    assert (88, None) == (len(read.entries(2, 88)), read.entries(2, 89))
    assert log.tiles[0, 0] == read.hashes(0, 0)
    assert (b"", None, None) == (read.hashes(0, 3), read.entries(3, 1), read.encoded_bundle(3, 1))
    assert (600, 512, 0) == (read.reaches(600), read.reaches(512), read.reaches(0))
    (folder / bundle_path(0)).unlink()
    assert 600 == read.reaches(600), "a gap is for the verification to find"
    (folder / bundle_path(2, 88)).unlink()
    assert 512 == read.reaches(600)


def test_a_bundle_that_is_gone_damaged_or_changed_is_found(made):
    _, folder = made
    file = folder / bundle_path(1)
    whole = file.read_bytes()
    for content, told in (
        (whole[:-1], "entry 256 does not fit the hash"),
        (whole.replace(b"nonce", b"nonsc", 1), "entry 256 does not fit the hash"),
        (encode_bundle(BODIES[256:511]), "the entries from 256 to 599 are gone"),
    ):
        file.write_bytes(content)
        found = verify_log(source_of(folder), KEY)
        assert isinstance(found, Broken)
        assert told in found.why
    file.unlink()
    assert 256 == verify_log(source_of(folder), KEY).index


def test_a_folder_without_a_checkpoint_is_no_log(tmp_path):
    with pytest.raises(LogFolderError, match="checkpoint cannot be read: No such file"):
        LogFolder(tmp_path).checkpoint()
    with pytest.raises(ValueError, match="origin, the size, the root"):
        TiledLog("nonsense\n\n— a b\n", LogFolder(tmp_path))


def test_the_size_of_a_checkpoint_is_read_off_its_note(made):
    assert [256, 556, 600] == [size_of(note) for note in made[0].heads()]
