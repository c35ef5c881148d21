"""Promise: one command plays the main job on a real platform, and the story it tells is true."""

import json
import os
import re
import shutil
import signal
import socket
import stat
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from scopekey.cli.main import PRINTED
from scopekey.demo.platform import CATALOG, create_platform
from scopekey.enforce.fastapi import rules_of
from scopekey.server.node import Node
from scopekey.settings import Settings
from scopekey.testing import Keys
from scopekey.wire.catalog_file import read_catalog
from scopekey.wire.changes import rules_digest
from tests.journeys.serving import environment, free_port

pytestmark = pytest.mark.journey


def played(folder, *words):
    """Play the demo to its end; gives what it told. It leaves nothing in the folder."""
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
    assert [] == list(folder.iterdir()), "it leaves nothing behind"
    return ended.stdout


@pytest.fixture(scope="module")
def story(tmp_path_factory):
    """What `demo --once` told, by chapter."""
    return played(tmp_path_factory.mktemp("once"))


def steps(story):
    """Each request told, as (call, who, status, detail)."""
    told = re.compile(r"^([A-Z]+ /\S*) +as ([^:]+): .+\n(?:  > .*\n)?  . (\d{3}) .*\n(?:    (.*))?", re.MULTILINE)
    return [(call, who, int(status), detail) for call, who, status, detail in told.findall(story)]


def chapter(story, number):
    return story.split(f"\n{number}. ")[1].split(f"\n{number + 1}. ")[0]


def answers(story, number):
    return [(call, status) for call, _, status, _ in steps(chapter(story, number))]


def test_no_secret_is_told(story):
    assert not PRINTED.search(story)
    assert "43 requests, every answer as told." in story


def test_each_request_is_told_with_the_key_its_purpose_and_the_reason_of_a_refusal(story):
    assert 43 == len(steps(story))
    assert {"operator", "Dashboard", "Nightly load"} <= {who for _, who, _, _ in steps(story)}
    assert all(detail for _, _, status, detail in steps(story) if status >= 400)


def test_an_ingestion_key_creates_and_uploads_and_cannot_read_back(story):
    assert [
        ("POST /datasets", 201),
        ("POST /datasets/1/upload", 201),
        ("GET /datasets/1/sample", 401),
    ] == answers(story, 1)
    assert "missing: datasets:read" in chapter(story, 1)


def test_an_analytics_key_sees_and_changes_nothing(story):
    assert [
        ("GET /datasets/1", 200),
        ("GET /datasets/1/sample?limit=2", 200),
        ("GET /datasets/1/stats", 200),
        ("POST /datasets", 401),
        ("PATCH /datasets/1", 401),
        ("DELETE /datasets/1", 401),
    ] == answers(story, 2)
    assert 3 == chapter(story, 2).count("missing: datasets:write")


def test_an_added_permission_works_at_once(story):
    assert ("POST /datasets", 201) == answers(story, 3)[1]


def test_a_key_with_everything_except_jobs_is_refused_on_jobs(story):
    assert ("GET /jobs/1", 401) in answers(story, 4)
    assert "missing: jobs:read" in chapter(story, 4)
    assert '["DE", 27.4]' in chapter(story, 4)


def test_a_rotated_key_works_with_both_secrets_until_the_overlap_ends(story):
    assert [201, 200, 200, 401, 200] == [status for _, status in answers(story, 5)]


def test_a_revoked_and_an_expired_key_stop_at_once(story):
    assert [200, 200, 401, 401] == [status for _, status in answers(story, 6)]
    assert "was revoked" in chapter(story, 6)
    assert "has ended" in chapter(story, 6)


def test_a_key_cannot_mint_a_broader_one(story):
    assert [("POST /v1/keys", 403), ("POST /v1/keys", 201)] == answers(story, 7)


def test_keys_tell_what_they_are_and_what_they_reach(story):
    assert [("GET /v1/whoami", 200)] * 2 == answers(story, 8)
    assert "opens GET /datasets, " in chapter(story, 8)
    assert "operations are closed to it" in chapter(story, 8)


def test_each_step_of_a_workflow_is_decided_with_the_key_that_started_it(story):
    told = chapter(story, 9)
    started = [call for call, status in answers(story, 9) if status == 202]
    assert ["POST /workflows/1/run", "POST /workflows/1/run", "POST /workflows/2/run"] == started
    assert "step 1, run_query: succeeded\n    step 2, export: succeeded" in told
    assert "Step 1 was refused: The key that started the run lacks Read Datasets (datasets:read)." in told
    assert (
        "step 1, pause: succeeded\n    step 2, run_query: refused\n    Step 2 was refused: The key was revoked" in told
    )


def test_it_ends_with_its_log_verified_one_entry_proved_and_a_changed_byte_named(story):
    told = chapter(story, 10)
    counts = re.findall(r"(\d+) (?:allowed|refused|change)", told)
    entries, size = re.search(r"verify\n  ✓ (\d+) entries, 1 checkpoint: .* Head: (\d+) [0-9a-f]{64}\n", told).groups()
    assert int(entries) == int(size) == sum(map(int, counts))
    index, among = re.search(r"\$ scopekey audit prove (\d+)\n  ✓ .* entry \1 of the (\d+)\.\n", told).groups()
    assert among == size
    assert f"verify\n  ✗ The log is not intact: entry {index} does not fit the hash that was sealed for it" in told


@pytest.fixture(scope="module")
def left_running(tmp_path_factory):
    """The demo while it stays: its folder, what it told, and what each printed line gave as pasted; then ended."""
    folder = tmp_path_factory.mktemp("stays")
    process = subprocess.Popen(
        [sys.executable, "-m", "scopekey", "demo", "--port", str(free_port())],
        env=environment(folder / "home", PYTHONUNBUFFERED="1"),
        cwd=folder,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )
    try:
        told = ""
        while "Ctrl-C ends it." not in told:
            line = process.stdout.readline()
            assert line, told
            told += line
        pasted = {
            line: paste(line, folder) for line in told.splitlines() if line.startswith(("curl ", "SCOPEKEY_HOME="))
        }
        process.send_signal(signal.SIGINT)
        told += process.stdout.read()
        code = process.wait(30)
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        process.stdout.close()
    yield folder, told, pasted, code, process.pid
    shutil.rmtree(folder)


def paste(line, folder):
    """What a line gives in a shell whose path has our command."""
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)])
    ended = subprocess.run(
        ["/bin/sh", "-c", line],
        env=environment(folder / "home", PATH=path),
        cwd=folder,
        text=True,
        capture_output=True,
        timeout=30,
        check=False,
    )
    assert (0, "") == (ended.returncode, ended.stderr)
    return json.loads(ended.stdout) if line.startswith("curl ") else ended.stdout


needs_curl = pytest.mark.skipif(shutil.which("curl") is None, reason="there is no curl on this machine")


@needs_curl
def test_the_printed_lines_work_as_pasted(left_running):
    _, _, pasted, _, _ = left_running
    sample, deleted, stats, whoami, keys, newest, verified = pasted.values()
    assert "order_id" in json.dumps(sample)
    assert (401, ["datasets:write"]) == (deleted["status"], deleted["missing"])
    assert (401, ["datasets:read"]) == (stats["status"], stats["missing"])
    assert "Dashboard" == whoami["key"]["name"]
    assert {"First key", "Dashboard", "Leaked"} <= {key["name"] for key in keys["items"]}
    assert 20 == len(newest.splitlines())
    assert "DELETE /datasets/{dataset_id} (1)\trefused: missing_permission\tdatasets:write" in newest
    assert "checkpoints: the log is intact. Head: " in verified


@needs_curl
def test_ctrl_c_ends_it_with_nothing_left(left_running):
    _, told, pasted, code, process = left_running
    assert 0 == code, told
    with pytest.raises(ProcessLookupError):
        os.killpg(process, 0)
    for line in [line for line in pasted if line.startswith("curl ")]:
        port = urlsplit(re.search(r"http://\S+", line)[0]).port
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", port), timeout=5)


@needs_curl
def test_no_secret_was_told_and_the_keys_files_are_their_owners_alone(left_running):
    folder, told, pasted, _, _ = left_running
    assert not PRINTED.search(told + json.dumps(list(pasted.values())))
    files = list((folder / ".scopekey-demo" / "keys").iterdir())
    assert {"operator", "analytics", "ingestion"} == {file.name for file in files}
    assert {0o600} == {stat.S_IMODE(file.stat().st_mode) for file in files}
    assert all(PRINTED.fullmatch(file.read_text().strip()) for file in files)


@needs_curl
def test_the_rules_applied_to_its_home_are_those_of_the_platform(left_running):
    catalog = read_catalog(CATALOG.read_text("utf-8"), CATALOG.name)
    node = Node.open(Settings(home=left_running[0] / ".scopekey-demo"))
    try:
        applied = node.index.rules()
    finally:
        node.close()
    assert rules_digest(rules_of(create_platform(Keys(catalog=catalog)))) == rules_digest(applied)
