"""Requests whose target goes out byte for byte, over one connection that is kept alive where the server lets it be."""

import json
import socket
from typing import Any
from urllib.parse import unquote

import msgspec


class Answer(msgspec.Struct, frozen=True):
    """What came back; `operation` and `values` where a route was reached."""

    status: int
    operation: str | None
    values: dict[str, str]


class RawClient:
    """A client of one server on loopback."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._socket: socket.socket | None = None
        self._read = b""

    def ask(self, method: str, target: bytes) -> Answer:
        """Send one request and read its answer."""
        request = method.encode() + b" " + target + b" HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 0\r\n\r\n"
        try:
            return self._exchange(method, request)
        except ConnectionError:
            self.close()
            return self._exchange(method, request)

    def close(self) -> None:
        if self._socket is not None:
            self._socket.close()
        self._socket, self._read = None, b""

    def _exchange(self, method: str, request: bytes) -> Answer:
        if self._socket is None:
            self._socket = socket.create_connection(("127.0.0.1", self._port), timeout=20)
            self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._socket.sendall(request)
        while b"\r\n\r\n" not in self._read:
            self._receive()
        head, _, self._read = self._read.partition(b"\r\n\r\n")
        first, *lines = head.decode("latin-1").split("\r\n")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        self._skip(headers, method == "HEAD")
        routed: Any = json.loads(unquote(headers["x-routed"])) if "x-routed" in headers else {}
        return Answer(int(first.split(" ")[1]), routed.get("operation"), routed.get("values", {}))

    def _skip(self, headers: dict[str, str], bodiless: bool) -> None:
        length = headers.get("content-length")
        if bodiless and headers.get("connection", "").lower() != "close":
            return
        if length is None or headers.get("connection", "").lower() == "close":
            self.close()
            return
        while len(self._read) < int(length):
            self._receive()
        self._read = self._read[int(length) :]

    def _receive(self) -> None:
        assert self._socket is not None
        received = self._socket.recv(65536)
        if not received:
            raise ConnectionResetError("the server closed the connection")
        self._read += received
