"""A command at a real terminal: a pseudo-terminal of which the test holds the other end."""

import os
import pty
import re
import select
import subprocess
import sys
import time

from tests.journeys.serving import environment

WITHIN = 30.0


def at_a_terminal(*words, home, answers=(), **settings):
    """Run a command; each answer is typed once its question was read. Gives the exit code and all that was shown."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "scopekey", *map(str, words)],
        env=environment(home, TERM="xterm-256color", COLUMNS="200", **settings),
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
    )
    os.close(theirs)
    try:
        shown = _converse(ours, list(answers))
        return process.wait(WITHIN), shown
    finally:
        os.close(ours)
        if process.poll() is None:
            process.kill()
            process.wait()


def plain(shown):
    """What was shown, without its colours."""
    return re.sub(r"\x1b\[[0-9;]*m", "", shown)


def _converse(ours, answers):
    shown, deadline = "", time.monotonic() + WITHIN
    while time.monotonic() < deadline:
        if not select.select([ours], [], [], 1.0)[0]:
            continue
        try:
            read = os.read(ours, 65536)
        except OSError:  # how Linux says that the other end was closed
            return shown
        if not read:
            return shown
        shown += read.decode(errors="replace")
        if answers and answers[0][0] in shown:
            os.write(ours, (answers.pop(0)[1] + "\n").encode())
    raise AssertionError(f"the command did not end; it had shown {shown!r}")
