"""The Unix socket that workers share: open to its owner and group alone, and free again after a crash."""

import socket
import stat

import pytest

from scopekey.cli.processes import listen_unix


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
