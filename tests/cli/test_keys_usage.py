from datetime import date, timedelta

import pytest

from scopekey.cli.keys_usage import chart
from scopekey.wire.usage import DayUse

TODAY = date(2026, 11, 26)


def drawn(*uses, days):
    counts = [DayUse(day=TODAY - timedelta(days=ago), uses=number, refusals=0) for ago, number in uses]
    return chart(counts, TODAY, days)


@pytest.mark.parametrize(
    ("uses", "days", "expected"),
    [
        ([], 7, "-"),
        ([(0, 1)], 7, "      █"),
        ([(6, 8), (5, 4), (4, 1), (0, 8)], 7, "█▄▁   █"),
        ([(0, 5), (7, 100)], 7, "      █"),
        ([(89, 3), (88, 3), (87, 3)], 90, "█"),
    ],
    ids=["nothing", "today", "a week", "what is older does not count", "several days to a column"],
)
def test_the_chart_has_the_newest_at_the_right(uses, days, expected):
    assert expected == drawn(*uses, days=days)


def issued(command):
    made = command("keys", "create", "a key", "-p", "datasets:read", "--key-file", "k")
    return made.out.splitlines()[0].split("\t")[1]


def test_usage_is_one_plain_line_for_each_permission_in_a_pipe(command, operator):
    key_id = (
        command("keys", "create", "a key", "-p", "datasets:read", "--key-file", "k").out.splitlines()[0].split("\t")[1]
    )
    told = command("keys", "usage", key_id)
    assert ["datasets:read\tnever\t0\t0\tunused"] == told.out.splitlines()


def test_usage_as_json_is_the_answer_of_the_api(command, operator):
    key_id = (
        command("keys", "create", "a key", "-p", "datasets:read", "--key-file", "k").out.splitlines()[0].split("\t")[1]
    )
    assert '"permission": "datasets:read"' in command("keys", "usage", key_id, "--json").out


def test_unused_keys_can_be_listed(command, operator):
    assert "" == command("keys", "list", "--unused-since", "1d").out
    assert 2 == command("keys", "list", "--unused-since", "yesterday").code
