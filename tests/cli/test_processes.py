"""The processes of a server: in which order they end, and the Unix socket that workers share."""

import os
import signal
import socket
import stat
import threading
import time

import pytest

from scopekey.cli.processes import Job, listen_unix, supervise


def test_the_file_is_open_to_owner_and_group_alone(tmp_path):
    with listen_unix(tmp_path / "socket"):
        mode = (tmp_path / "socket").stat().st_mode
        assert (True, 0o660) == (stat.S_ISSOCK(mode), stat.S_IMODE(mode))


def test_what_a_killed_server_left_behind_is_replaced(tmp_path):
    listen_unix(tmp_path / "socket").close()
    with listen_unix(tmp_path / "socket"), socket.socket(socket.AF_UNIX) as client:
        client.connect(str(tmp_path / "socket"))


def test_a_socket_that_somebody_listens_on_is_left_alone(tmp_path):
    with listen_unix(tmp_path / "socket"):
        with pytest.raises(OSError, match="another server listens there"):
            listen_unix(tmp_path / "socket")
        with socket.socket(socket.AF_UNIX) as client:
            client.connect(str(tmp_path / "socket"))


def test_a_file_that_is_no_socket_is_left_alone(tmp_path):
    (tmp_path / "socket").write_text("precious")
    with pytest.raises(OSError, match="in use"):
        listen_unix(tmp_path / "socket")
    assert "precious" == (tmp_path / "socket").read_text()


def lives_until_it_is_told(file, name, seconds):
    """What a job of these tests runs: says in a file that it is there, and when it has ended."""

    def end(*_):
        time.sleep(seconds)
        with file.open("a") as said:
            said.write(f"{name} ended\n")
        os._exit(0)

    signal.signal(signal.SIGTERM, end)
    with file.open("a") as said:
        said.write(f"{name}\n")
    time.sleep(60)


def test_what_takes_over_from_the_others_ends_after_them(tmp_path):
    file = tmp_path / "said"
    file.touch()

    def stop():
        while len(file.read_text().split()) < 3:
            time.sleep(0.01)
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=stop).start()
    jobs = [Job("keeper", lives_until_it_is_told, file, "keeper", 0, last=True)]
    jobs += [Job(name, lives_until_it_is_told, file, name, 0.2) for name in ("one", "two")]
    assert 0 == supervise(jobs)
    assert {"one ended", "two ended"} == set(file.read_text().splitlines()[3:5])
    assert "keeper ended" == file.read_text().splitlines()[5]
