"""What is told as metrics: names as Prometheus wants them, and a store that never keeps the others waiting."""

import asyncio
import re
import threading
import time

import pytest

from scopekey.enforce.doors.metrics import (
    METRICS,
    JournalFolder,
    LogNumbers,
    LogWatch,
    Reading,
    ReplicaNumbers,
    of_journal,
    of_log,
    of_replica,
)


def values(families):
    text = Reading(list(families)).text().decode()
    return dict(line.rsplit(" ", 1) for line in text.splitlines() if not line.startswith("#"))


@pytest.mark.parametrize("told", METRICS, ids=lambda told: told.name)
def test_a_counter_ends_in_total_and_nothing_else_does(told):
    assert re.fullmatch(r"(scopekey|process)(_[a-z]+)+", told.name)
    assert (told.kind == "counter") == told.name.endswith("_total")
    assert not re.search(r"_(ms|millis|milliseconds|kb|mb)\b", told.name)


def test_a_name_stands_for_one_metric():
    assert len(METRICS) == len({told.name for told in METRICS})


@pytest.mark.parametrize(("age", "told"), [(None, "+Inf"), (0, "0.0"), (1_500, "1.5")])
def test_the_age_of_a_replica_is_told_in_seconds(age, told):
    assert told == values(of_replica(ReplicaNumbers(7, age, age is None)))["scopekey_replica_age_seconds"]


def test_a_journal_that_was_never_written_has_no_bytes_and_no_lag(tmp_path):
    told = values(of_journal(JournalFolder(tmp_path / "none", 1_024), 0))
    assert {"scopekey_journal_bytes": "0.0", "scopekey_journal_limit_bytes": "1024.0"} == told


def test_before_the_first_checkpoint_no_time_of_it_is_told():
    assert "scopekey_log_checkpoint_timestamp_seconds" not in values(of_log(LogNumbers(0, 3, None)))


def test_a_store_that_does_not_answer_keeps_nobody_waiting_and_is_not_asked_again_meanwhile():
    answer, asked = threading.Event(), []

    def ask():
        asked.append(1)
        answer.wait(10)
        return LogNumbers(1, 2, 3)

    watch = LogWatch(ask, patience=0.05)

    async def several():
        return await asyncio.gather(*(watch.numbers() for _ in range(20)))

    began = time.monotonic()
    assert [None] * 20 == asyncio.run(several())
    assert (1, True) == (len(asked), time.monotonic() - began < 2)
    answer.set()
    time.sleep(0.1)
    # In another loop, as under a server that is started again.
    assert LogNumbers(1, 2, 3) == asyncio.run(watch.numbers())


def test_a_store_is_asked_once_in_a_while_however_often_the_metrics_are_read():
    asked = []
    watch = LogWatch(lambda: asked.append(1) or LogNumbers(1, 2, 3), patience=60.0)
    assert {LogNumbers(1, 2, 3)} == {asyncio.run(watch.numbers()) for _ in range(5)}
    assert [1] == asked
