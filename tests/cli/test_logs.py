"""What a server logs: each event is one line, whatever stands in it, and no exception's message is told."""

import io
import json
import logging
import os
import re
import subprocess
import sys
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from scopekey.cli.logs import Lines, as_json, as_text, where
from scopekey.enforce.request import log_fault

SECRET = "sck_live_0123456789"
TEXT = re.compile(r"(\S+) (\w+) +(\S+) \[(.+) (\d+)\] (.*)")
ENDS = "\n\r\v\f\x1c\x1d\x1e\x85\u2028\u2029"
# Half of a surrogate pair is no text, and comes from file names all the same.
ANYTHING = st.text(st.characters(categories=None, exclude_categories=()))
FORMS = pytest.mark.parametrize("form", [as_text, as_json], ids=["text", "json"])


def line(form, message, *values, error=None, extra=None):
    about = (type(error), error, None) if error else None
    record = logging.getLogger("scopekey.test").makeRecord(
        "scopekey.test", logging.ERROR, __file__, 1, message, values, about, extra=extra
    )
    return Lines(form).format(record)


def fail(kind, reason=None):
    raise kind(SECRET) from reason


def failed():
    """An exception as it is caught, with a reason."""
    try:
        fail(ValueError, KeyError(SECRET))
    except ValueError as error:
        return error


def test_json_tells_when_how_bad_where_and_what():
    told = json.loads(line(as_json, "%d decisions are lost", 3))
    at = datetime.fromisoformat(told.pop("time"))
    assert timedelta() <= datetime.now(UTC) - at < timedelta(minutes=1)
    assert {
        "level": "error",
        "logger": "scopekey.test",
        "process": "MainProcess",
        "pid": os.getpid(),
        "event": "3 decisions are lost",
    } == told


def test_text_tells_the_same_for_people():
    when, level, logger, process, _, event = TEXT.fullmatch(line(as_text, "%d decisions are lost", 3)).groups()
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", when)
    assert ("ERROR", "scopekey.test", "MainProcess", "3 decisions are lost") == (level, logger, process, event)


@FORMS
@given(said=ANYTHING, request_id=ANYTHING)
@example(said="".join(map(chr, range(0xA0))), request_id="\u202e\ufeff\ud800")
def test_whatever_is_said_is_one_line_that_can_be_printed(form, said, request_id):
    written = line(form, "%s", said, extra={"request_id": request_id})
    assert written.isprintable()
    assert 1 == len(written.splitlines())


@FORMS
@pytest.mark.parametrize("end", ENDS, ids=ascii)
def test_nobody_can_forge_a_line(form, end):
    written = line(form, "a key named %s was refused", f"x{end}2026-01-01T00:00:00.000Z CRITICAL forged")
    assert 1 == len(written.splitlines()) == len(written.split(end))
    assert "forged" in written


@given(said=st.text())
def test_json_gives_back_what_was_said(said):
    assert said.strip() == json.loads(line(as_json, "%s", said))["event"]


@FORMS
def test_an_exception_is_told_by_its_type_and_where_without_its_words(form):
    written = line(form, "it broke", error=failed())
    assert SECRET not in written
    for word in ("ValueError", "while handling", "KeyError", "test_logs.py", "in fail"):
        assert word in written


def test_a_chain_of_exceptions_that_bites_its_tail_comes_to_an_end():
    error = failed()
    error.__cause__.__cause__ = error
    assert 2 == where(error).count("while handling") + 1


@FORMS
def test_a_fault_of_a_check_tells_its_request_and_its_frames_once(form):
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(Lines(form))
    logger = logging.getLogger("scopekey.enforce")
    logger.addHandler(handler)
    try:
        log_fault(failed(), "req_1")
    finally:
        logger.removeHandler(handler)
    (written,) = stream.getvalue().splitlines()
    assert (1, False) == (written.count("in fail\\n" if form is as_json else "in fail "), SECRET in written)
    if form is as_json:
        told = json.loads(written)
        assert ("req_1", "request req_1 was refused: the check broke (ValueError)") == (
            told["request_id"],
            told["event"],
        )
    else:
        assert "broke (ValueError) request_id=req_1 traceback=File " in written


@FORMS
def test_values_that_do_not_fit_their_message_are_left_out(form):
    assert "%d decisions" in line(form, "%d decisions", "three")


def test_what_asyncio_tells_of_a_task_is_told_without_the_words_of_its_exception():
    record = logging.LogRecord(
        "asyncio", logging.ERROR, __file__, 1, f"Task exception was never retrieved\nfuture: <{SECRET}>", (), None
    )
    assert "Task exception was never retrieved" == json.loads(Lines(as_json).format(record))["event"]


PROGRAM = f"""
import logging, sys, threading, warnings
from scopekey.cli.logs import announce, configure_logs
configure_logs(sys.argv[1])
configure_logs(sys.argv[1])
announce("Scopekey listens", sys.argv[1])
logging.getLogger("uvicorn.error").warning("one\\ntwo")
logging.getLogger("httpx").info("not told")
warnings.warn("three\\nfour")
def broken():
    raise ValueError("{SECRET}")
thread = threading.Thread(target=broken, name="scopekey-x")
thread.start()
thread.join()
broken()
"""


@pytest.mark.parametrize("form", ["text", "json"])
def test_servers_warnings_and_what_nobody_caught_go_the_same_way(form):
    ended = subprocess.run([sys.executable, "-c", PROGRAM, form], capture_output=True, text=True, check=False)
    lines = ended.stderr.splitlines()
    assert (1, "", False) == (ended.returncode, ended.stdout, SECRET in ended.stderr)
    assert 5 == len(lines), ended.stderr
    if form == "json":
        told = [json.loads(line) for line in lines]
        assert ["scopekey.cli.logs", "uvicorn.error", "py.warnings", "scopekey.cli.logs", "scopekey.cli.logs"] == [
            line["logger"] for line in told
        ]
        assert ("one\ntwo", "ValueError") == (told[1]["event"], told[4]["exception"])
    else:
        assert "Scopekey listens" == lines[0]
        assert all(TEXT.fullmatch(line) for line in lines[1:])
