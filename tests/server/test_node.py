"""A node refuses to start where it does not fit its store, and says what to do."""

import shutil
import threading

import lmdb
import pytest

from scopekey.replica import lmdb_writer
from scopekey.replica.record import DamagedRecordError, name_of
from scopekey.server.beginning import begin
from scopekey.server.node import Node, StartRefusedError
from scopekey.settings import MissingSecretError
from scopekey.wire.catalog_file import read_catalog
from scopekey.wire.changes import catalog_digest, rules_digest
from scopekey.wire.rules_file import read_rules
from scopekey.wire.toml_file import FileError
from tests.server.running import CATALOG, RULES, Deployment, settings

OTHER = "ab" * 32


@pytest.fixture
def home(place):
    """The settings of a begun home."""
    return place[0]


def refused(started, words):
    """Expect that a node does not start, and that it says so."""
    with pytest.raises(StartRefusedError, match=words) as caught:
        Node.open(started)
    return str(caught.value)


def test_a_node_starts_on_its_home_again_and_again(home):
    for _ in range(2):
        node = Node.open(home)
        assert "platform" == node.verifier.register.catalog.name
        node.close()


def test_a_home_without_a_store_was_never_initialised_and_still_can_be(tmp_path):
    started = settings(tmp_path)
    refused(started, "run `scopekey init`")
    assert not started.home.exists()
    started.home.mkdir()
    refused(started, "run `scopekey init`")
    begin(started)
    Node.open(started).close()


def test_an_empty_database_was_never_initialised(tmp_path):
    url = f"sqlite:///{tmp_path / 'empty.db'}"
    refused(settings(tmp_path, database_url=url, pepper=OTHER, signing_key=OTHER), "run `scopekey init`")


def test_a_home_without_its_pepper_is_refused(home):
    (home.home / "pepper").unlink()
    with pytest.raises(MissingSecretError, match="SCOPEKEY_PEPPER"):
        Node.open(home)


def test_another_pepper_than_the_stores_is_refused(home):
    said = refused(settings(home.home.parent, pepper=OTHER), "pepper")
    assert "copy the pepper of the node that was there first" in said
    assert OTHER not in said


def test_another_signing_key_than_the_stores_is_refused(home):
    assert OTHER not in refused(settings(home.home.parent, signing_key=OTHER), "signing key")


def test_a_pepper_beside_the_current_one_is_welcome(home):
    current = (home.home / "pepper").read_text().strip()
    Node.open(settings(home.home.parent, pepper=f"{current},{OTHER}")).close()
    refused(settings(home.home.parent, pepper=f"{OTHER},{current}"), "pepper")


def test_a_catalog_file_that_is_not_the_applied_one_is_refused(home):
    home.catalog.write_text(CATALOG.replace("saved SQL", "SQL"), "utf-8")
    refused(home, r"scopekey catalog apply .*catalog\.toml")


def test_a_rules_file_that_is_not_the_applied_one_is_refused(home):
    home.rules.write_text(RULES.replace("GET /datasets", "GET /data"), "utf-8")
    refused(home, r"scopekey rules apply .*rules\.toml")


def test_a_file_that_says_the_same_in_other_words_fits(home):
    home.rules.write_text("# a comment\n" + RULES, "utf-8")
    Node.open(home).close()


def test_a_file_that_cannot_be_read_stops_the_start_with_its_line(home):
    home.rules.write_text(RULES + '\n[[rule]]\noperation = "GET /x"\nrequires = "datasets:raed"\n', "utf-8")
    with pytest.raises(FileError, match=r"rules\.toml:\d+.*datasets:read"):
        Node.open(home)


def test_files_are_taken_where_the_store_has_none(tmp_path):
    bare = settings(tmp_path, catalog=None, rules=None)
    begin(bare)
    node = Node.open(settings(tmp_path))
    try:
        assert catalog_digest(read_catalog(CATALOG, "c")) == catalog_digest(node.index.register().catalog)
        expected = read_rules(RULES, "r", node.index.register().catalog)
        assert rules_digest(expected) == rules_digest(node.index.rules())
    finally:
        node.close()
    Node.open(bare).close()


def test_a_home_is_begun_once(home):
    with pytest.raises(StartRefusedError, match="SCOPEKEY_HOME"):
        begin(home)
    Node.open(home).close()


def test_a_begun_home_is_its_owners_alone(home, tmp_path):
    begin(settings(tmp_path))
    modes = {file.name: file.stat().st_mode & 0o777 for file in (tmp_path / "home").iterdir() if file.is_file()}
    assert 0o700 == (tmp_path / "home").stat().st_mode & 0o777
    assert {0o600} == set(modes.values())
    assert {"pepper", "signing_key", "scopekey.db"} <= set(modes)


def test_a_beginning_that_fails_leaves_nothing_behind(tmp_path):
    broken = settings(tmp_path)
    broken.catalog.write_text("name = 7\n", "utf-8")
    with pytest.raises(FileError):
        begin(broken)
    assert not broken.home.exists()


def test_the_first_key_holds_everything_and_never_ends(place):
    node = Node.open(place[0])
    try:
        key, _ = node.verifier.identify(place[1])
        assert (node.verifier.register.all, None) == (key.grant, key.expires)
    finally:
        node.close()


def test_an_older_copy_of_the_store_is_noticed_and_the_replica_rebuilt(home, place):
    node = Node.open(home)
    aside = home.home.parent / "aside"
    node.store.close()
    shutil.copy(home.home / "scopekey.db", aside)
    later, _ = Deployment(node, place[1]).key("datasets:read")
    node.close()
    for ending in ("-wal", "-shm"):
        (home.home / f"scopekey.db{ending}").unlink(missing_ok=True)
    shutil.copy(aside, home.home / "scopekey.db")
    node = Node.open(home)
    try:
        assert node.index.key(later) is None
        assert node.verifier.identify(place[1])[0] is not None
    finally:
        node.close()


def test_a_changed_bit_in_a_record_is_refused_said_and_mended(place, caplog):
    home, operator = place
    node = Node.open(home)
    try:
        name = name_of(home.key_format.id_of(operator))
        with node.index._files.environment.begin(write=True) as transaction:
            record = bytearray(transaction.get(name))
            record[-5] ^= 1
            transaction.put(name, bytes(record))
        with pytest.raises(DamagedRecordError):
            node.verifier.check(operator)
        node._mender.join(10)
        assert "does not fit its checksum" in caplog.text
        assert node.verifier.check(operator)
    finally:
        node.close()


def test_a_replica_found_damaged_at_the_start_is_built_again_and_the_node_starts(place, caplog):
    home, operator = place
    node = Node.open(home)
    with node.index._files.environment.begin(write=True) as transaction:
        record = bytearray(transaction.get(lmdb_writer.CATALOG))
        record[-5] ^= 1
        transaction.put(lmdb_writer.CATALOG, bytes(record))
    node.close()
    node = Node.open(home)
    try:
        assert "does not fit its checksum" in caplog.text
        assert node.verifier.check(operator)
    finally:
        node.close()


def test_a_replica_found_damaged_while_it_runs_is_said_set_aside_and_built_again(place, caplog):
    home, operator = place
    node = Node.open(home)
    try:
        assert node.verifier.check(operator)
        node.index._files.suspect(lmdb.CorruptedError("as a read would find it"))
        (mending,) = (thread for thread in threading.enumerate() if thread.name == "scopekey-mend")
        mending.join(10)
        assert "must be built again" in caplog.text
        assert 1 == len(list((home.home / "replica").glob("gen-*.damaged-*")))
        assert node.verifier.check(operator)
    finally:
        node.close()
