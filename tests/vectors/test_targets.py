import pytest

from scopekey.core.target import MAX_PATH_LENGTH, Target, UnreadableTarget, read_target
from tests.vectors.rows import vectors

FILE = vectors("targets.json")


def raw(row):
    if "raw" in row:
        return row["raw"].encode("latin-1")
    unit, times, tail = row["repeat"]
    return (unit * times + tail).encode("latin-1")


@pytest.mark.parametrize("row", [row for row in FILE["rows"] if "refused" in row], ids=lambda row: row["why"])
def test_a_target_with_no_reading_or_two_is_refused(row):
    assert UnreadableTarget(FILE["refusals"][row["refused"]]) == read_target(raw(row))


@pytest.mark.parametrize("row", [row for row in FILE["rows"] if "segments" in row], ids=lambda row: row["why"])
def test_a_target_with_one_reading_is_read(row):
    target = read_target(raw(row))
    assert isinstance(target, Target)
    assert (tuple(row["segments"]), row["path"]) == (target.segments, target.path)


@pytest.mark.parametrize("row", [row for row in FILE["rows"] if "segments_count" in row], ids=lambda row: row["why"])
def test_a_long_target_is_read(row):
    target = read_target(raw(row))
    assert isinstance(target, Target)
    assert row["segments_count"] == len(target.segments)


def test_the_longest_path_is_the_one_of_the_specification():
    assert FILE["max_path_length"] == MAX_PATH_LENGTH


def test_every_refusal_has_a_row():
    assert FILE["refusals"].keys() == {row["refused"] for row in FILE["rows"] if "refused" in row}
