"""How old a replica is: on a home folder, and over a feed whose clocks may lie."""

import pytest

from scopekey.replica.freshness import NEVER, FeedFreshness, HomeFreshness, Level, milliseconds_since_boot

LEVEL = Level(1_000_000, 50_000)


def age(now, boot, level=LEVEL):
    return FeedFreshness(lambda: level, stale_after=5_000, refuse_after=60_000, since_boot=lambda: boot).age(now)


@pytest.mark.parametrize(
    ("expected", "now", "boot"),
    [
        (0, 1_000_000, 50_000),
        (3_000, 1_003_000, 53_000),
        (3_000, 1_000_001, 53_000),  # the wall clock was set back a little: the clock of the boot counts
        (9_000, 1_009_000, 53_000),  # it was set forward, or the machine was a paused guest: the older one counts
        (5_001, 999_000, 53_000),  # it went behind the moment itself: stale, whatever the age
        (70_000, 999_000, 120_000),
        (4_000, 1_004_000, 20),  # booted since: the wall clock alone knows
        (NEVER, 999_999, 20),  # and nobody knows
    ],
)
def test_a_followed_replica_is_as_old_as_the_older_of_two_clocks_says(expected, now, boot):
    assert expected == age(now, boot)


def test_it_looks_for_replaced_files_once_a_second():
    looks, boot = [], [50_000]
    fresh = FeedFreshness(
        lambda: LEVEL,
        stale_after=5_000,
        refuse_after=60_000,
        look=lambda: looks.append(boot[0]),
        since_boot=lambda: boot[0],
    )
    for boot[0] in (50_000, 50_999, 51_000, 51_500, 52_000):
        fresh.age(1_000_000)
    assert [50_000, 51_000, 52_000] == looks


def test_a_replica_that_was_never_level_is_older_than_any_limit():
    assert NEVER == age(1_000_000, 50_000, Level(0, 0))


def test_the_clock_of_the_boot_runs_on():
    before = milliseconds_since_boot()
    assert 0 < before <= milliseconds_since_boot()


def test_on_a_home_folder_age_is_how_long_it_is_known_to_be_behind():
    since = [None]
    home = HomeFreshness(lambda: since[0], stale_after=5_000, refuse_after=60_000)
    assert 0 == home.age(10_000)
    since[0] = 9_500
    assert (0, 1_500) == (home.age(10_999), home.age(11_000))
    assert 0 == home.age(9_000)  # set back: it looks again, and never answers with less than nothing
