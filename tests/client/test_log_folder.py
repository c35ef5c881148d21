"""A log in a folder is read file by file; what is no file of a log is said."""

import pytest
from tests.audit.made import KEY, MadeLog

from scopekey.audit.source import LogSource
from scopekey.audit.tiles import bundle_path, encode_bundle, tile_path, width_at
from scopekey.audit.verify import Broken, Intact, verify_log
from scopekey.client.audit_source import FetchedFiles, TiledLog, size_of
from scopekey.client.log_folder import LogFolder, LogFolderError


def write(folder, log, size):
    """Write a log as files; bundles and tiles that are not whole under their width."""
    bodies = [log.entries[at] for at in sorted(log.entries)]
    for first in range(0, size, 256):
        width = width_at(0, first // 256, size)
        _put(folder / bundle_path(first // 256, width), encode_bundle(bodies[first : first + width]))
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
    log = MadeLog(256, 300, 44)
    write(tmp_path, log, 600)
    return log, tmp_path


def source_of(folder):
    read = LogFolder(folder)
    return TiledLog(read.checkpoint(), read)


def test_a_folder_is_verified_like_any_log(made):
    log, folder = made
    source: LogSource = source_of(folder)
    found = verify_log(source, KEY, heads=log.notes)
    assert isinstance(found, Intact)
    assert (600, 600, 3) == (found.size, found.entries, found.heads)


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
    assert [log.entries[0], log.entries[1]] == read.entries(0, 2)
    assert encode_bundle([log.entries[0]]) == read.encoded_bundle(0, 1)
    assert (88, None) == (len(read.entries(2, 88)), read.entries(2, 89))
    assert log.tiles[0, 0] == read.hashes(0, 0)
    assert (b"", None, None) == (read.hashes(0, 3), read.entries(3, 1), read.encoded_bundle(3, 1))
    assert 512 == read.reaches()


def test_a_bundle_that_is_gone_damaged_or_changed_is_found(made):
    log, folder = made
    file = folder / bundle_path(1)
    whole = file.read_bytes()
    for content, told in (
        (whole[:-1], "the entry 256 was changed: its bundle cannot be read"),
        (whole.replace(b"true", b"fals", 1), "the entry 256 is not the one"),
        (encode_bundle(log.entries[at] for at in range(256, 511)), "the entry 256 is missing"),
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
    with pytest.raises(ValueError, match="three lines"):
        TiledLog("nonsense\n\n— a b\n", LogFolder(tmp_path))


def test_the_size_of_a_checkpoint_is_read_off_its_note(made):
    assert [256, 556, 600] == [size_of(note) for note in made[0].notes]
