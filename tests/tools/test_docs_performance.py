"""The page of measurements: what is there is shown, missed targets as missed, what is not there not at all."""

from tools.docs_performance import Result, amount, written


def page(*results):
    return written([Result(name, value, unit, 7, note) for name, value, unit, note in results])


def lines(text, start):
    return [line for line in text.splitlines() if line.startswith(start)]


def test_a_target_that_is_missed_is_shown_as_missed():
    text = page(("check.10m.ns", 4_001.0, "ns", ""))
    assert ["| a check in process among 10 million keys | ≤ 4,000 ns | 4,001 ns | **missed** |"] == lines(
        text, "| a ch"
    )


def test_a_target_that_is_met_is_shown_as_met():
    text = page(("create.sqlite.per_s", 1_000.0, "1/s", ""))
    assert ["| keys created on SQLite | ≥ 1,000/s | 1,000/s | met |"] == lines(text, "| keys created")


def test_targets_and_topics_without_a_result_do_not_appear():
    text = page(("peer.casbin.ratio", 285.47, "×", ""))
    assert ["## Beside its peers"] == lines(text, "## ")


def test_what_could_not_be_measured_does_not_appear():
    text = written([Result("create.postgres.per_s", 0, "1/s", 0, "not measured: no wheel")])
    assert [] == lines(text, "## ")


def test_names_that_come_later_have_their_topics():
    text = page(
        ("door.vs_empty", 0.7, "×", ""),
        ("followers.1000.ms", 3.0, "ms", ""),
        ("journal.strict_vs_relaxed", 0.8, "×", ""),
        ("something.new", 1.0, "s", ""),
    )
    assert ["## Targets", "## Over HTTP", "## The replica", "## The journal and the audit log", "## And"] == lines(
        text, "## "
    )


def test_parts_are_stacked_upon_one_another():
    text = page(
        ("check.part.parse.ns", 300.0, "ns", "KeyFormat.parse"),
        ("check.part.rest.ns", 200.0, "ns", "what is left"),
        ("check.part.whole.ns", 500.0, "ns", "Verifier.check"),
    )
    assert "500 ns: Verifier.check." in text
    assert ["| parse | 300 | 300 | KeyFormat.parse |", "| rest | 200 | 500 | what is left |"] == [
        *lines(text, "| parse"),
        *lines(text, "| rest"),
    ]


def test_sizes_stand_side_by_side_in_their_order():
    text = page(
        ("growth.rules.1049.ns", 2_000.0, "ns", "a look-up; rounds: 1 to 2 ns"),
        ("growth.rules.10.ns", 99.0, "ns", "a look-up; rounds: 1 to 2 ns"),
        ("check.10m.ns", 6_000.0, "ns", ""),
        ("check.1k.ns", 4_000.0, "ns", ""),
    )
    assert ["| rules | 10 | 1,049 |", "| keys | 1,000 | 10,000,000 |"] == [
        *lines(text, "| rules"),
        *lines(text, "| keys | 1"),
    ]
    assert "A look-up:\n\n| rules | 10 | 1,049 |\n| --- | --- | --- |\n| ns | 99 | 2,000 |" in text


def test_figures_have_the_digits_that_mean_something():
    assert ["6,069 ns", "108 B", "0.00256 s", "11.4 ×", "759/s", "0 ms"] == [
        amount(6_068.7, "ns"),
        amount(108.4, "B"),
        amount(0.00256, "s"),
        amount(11.38, "×"),
        amount(759, "1/s"),
        amount(0, "ms"),
    ]
