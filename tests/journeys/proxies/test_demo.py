"""Promise: the demo's platform without a guard, behind a real proxy, plays the same story to the same end."""

import re

import pytest

from scopekey.cli.main import PRINTED
from tests.journeys.test_demo import played, steps

pytestmark = pytest.mark.journey

NEW = re.compile(r"key_\w+|\d{4}-\d{2}-\d{2}T[\d:.]+Z")


def told(story):
    """The steps without what is new each time."""
    return [tuple(NEW.sub("…", str(part)) for part in step) for step in steps(story)]


@pytest.fixture(scope="module")
def guarded(tmp_path_factory):
    """What is told where the platform guards itself."""
    return told(played(tmp_path_factory.mktemp("guarded")))


def test_the_story_comes_true_behind_a_proxy_with_every_answer_and_reason(proxy, guarded, tmp_path):
    story = played(tmp_path, "--gateway", proxy)
    assert "43 requests, every answer as told." in story
    assert f", behind {proxy}, " in story
    assert guarded == told(story)
    assert not PRINTED.search(story)
