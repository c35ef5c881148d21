import json

import pytest

from scopekey.authority.heads import HeadFile
from scopekey.authority.seal_log import LogSealer
from tests.authority.home import SEED
from tests.authority.test_seal_log import arrive


def sealed(home, *targets):
    seal = LogSealer(home.store, seed=SEED, heads=[HeadFile(str(target)) for target in targets], clock=lambda: home.now)
    seal()
    arrive(home, 1)
    seal()
    with home.store.reading() as tx:
        return [{"at": checkpoint.at, "checkpoint": checkpoint.note} for checkpoint in tx.log.checkpoints()]


def test_each_checkpoint_is_one_line_of_a_file_that_only_grows(home, tmp_path):
    file = tmp_path / "heads"
    file.write_text("what was there\n")
    expected = sealed(home, file)
    first, *lines = file.read_text().splitlines()
    assert ("what was there", expected) == (first, [json.loads(line) for line in lines])


def test_a_dash_is_standard_output(home, capfdbinary):
    expected = sealed(home, "-")
    assert expected == [json.loads(line) for line in capfdbinary.readouterr().out.splitlines()]


def test_a_file_that_cannot_be_written_does_not_stop_the_log(home, tmp_path, caplog):
    assert 2 == len(sealed(home, tmp_path / "nowhere" / "heads"))
    assert ["a checkpoint could not be written elsewhere (FileNotFoundError)"] == caplog.messages


def test_a_head_that_cannot_be_written_says_so_itself(tmp_path):
    with pytest.raises(IsADirectoryError):
        HeadFile(str(tmp_path))(type("Checkpoint", (), {"at": 1, "note": "a note"})())
