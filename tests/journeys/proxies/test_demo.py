"""Promise: the demo's platform without a guard, behind a real proxy, plays the same story to the same end."""

import re
import subprocess
import sys

import pytest

from scopekey.cli.main import PRINTED
from tests.journeys.serving import environment, free_port
from tests.journeys.test_demo import steps

pytestmark = pytest.mark.journey

NEW = re.compile(r"key_\w+|\d{4}-\d{2}-\d{2}T[\d:.]+Z")


def played(folder, *words):
    ended = subprocess.run(
        [sys.executable, "-m", "scopekey", "demo", "--once", "--port", str(free_port()), *words],
        env=environment(folder / "home"),
        cwd=folder,
        text=True,
        capture_output=True,
        timeout=90,
        check=False,
    )
    assert (0, "") == (ended.returncode, ended.stderr), ended.stdout
    return ended.stdout


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
    assert [] == list(tmp_path.iterdir()), "it leaves nothing behind"
