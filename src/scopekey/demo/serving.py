"""Servers of the demo: applications in threads of its one process, on loopback or on a Unix socket."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import uvicorn
from starlette.types import ASGIApp

HOST = "127.0.0.1"


@contextmanager
def serving(app: ASGIApp, *listeners: socket.socket, behind_proxy: bool = False) -> Iterator[str]:
    """Serve an app in a thread of its own until the block ends, and give its first address."""
    config = uvicorn.Config(
        app,
        # HAProxy hands trailers on, and httptools takes them for header fields: a caller could say who it is.
        http="h11" if behind_proxy else "httptools",
        loop="uvloop",
        proxy_headers=False,
        server_header=False,
        access_log=False,
        log_config=None,
        log_level="warning",
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": list(listeners)}, daemon=True)
    thread.start()
    while not server.started and thread.is_alive():
        thread.join(0.01)
    name = listeners[0].getsockname()
    try:
        yield f"unix:{name}" if isinstance(name, str) else f"http://{HOST}:{name[1]}"
    finally:
        server.should_exit = True
        thread.join(10)
        for listener in listeners:
            listener.close()


def listen(port: int) -> socket.socket:
    """Take the port of loopback, or any free one where it is taken."""
    for wanted in (port, 0):
        listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((HOST, wanted))
        except OSError:
            listener.close()
        else:
            return listener
    raise OSError("no port is free on loopback")


def free_port(port: int) -> int:
    """The port, or any free one where it is taken, for another process to listen on."""
    with listen(port) as listener:
        number: int = listener.getsockname()[1]
    return number


def listen_unix(path: Path) -> socket.socket:
    """Take a Unix socket that is not there yet."""
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    listener.bind(str(path))
    return listener
