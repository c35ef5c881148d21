from scopekey.audit.entry import canonical
from scopekey.audit.tiles import bundle_path
from scopekey.server.node import Node
from scopekey.settings import Settings
from tests.contract.sealed import decision


def filled(home, number=300):
    """So many entries more in the log of a home folder."""
    node = Node.open(Settings(home=home))
    with node.store.writing() as tx:
        tx.entries.append([canonical(decision(at)) for at in range(number)])
    node.seal()
    node.close()


def test_what_is_moved_is_verified_with_what_is_not(command, operator, home, folder):
    filled(home)
    told = command("audit", "archive", "archive", "--older-than", "0s")
    assert "256 entries, 0 to 255, are in archive.\n" == told.out
    assert "Set SCOPEKEY_AUDIT_ARCHIVE=archive" in told.err
    (folder / "log.pub").write_text(command("audit", "public-key").out)
    assert "from 256 on" in command("audit", "verify").out
    whole = command("audit", "verify", audit_archive="archive")
    assert (0, True) == (whole.code, "305 entries, " in whole.out)
    assert 0 == command("audit", "verify", "--log", "archive", "--public-key", "log.pub").code
    bundle = folder / "archive" / bundle_path(0)
    bundle.write_bytes(bundle.read_bytes().replace(b"true", b"tru3", 1))
    assert 1 == command("audit", "verify", audit_archive="archive").code
    assert 1 == command("audit", "verify", "--log", "archive", "--public-key", "log.pub").code


def test_the_log_tells_that_it_was_archived(command, operator, home):
    filled(home)
    command("audit", "archive", "archive", "--older-than", "0s")
    assert "log.archive" in command("audit", "search", "--kind", "change").out


def test_with_too_few_entries_nothing_is_moved(command, operator):
    assert command("audit", "archive", "archive", "--older-than", "0s").out.startswith("There are not 256 entries")


def test_a_folder_and_an_age_must_be_named_or_set(command, operator, home):
    told = command("audit", "archive")
    assert (2, True) == (told.code, "SCOPEKEY_AUDIT_ARCHIVE" in told.err)
    told = command("audit", "archive", "archive")
    assert (2, True) == (told.code, "--older-than" in told.err)
    filled(home)
    assert "are in archive" in command("audit", "archive", audit_archive="archive", audit_keep="1ms").out
