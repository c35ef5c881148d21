"""An address as it gets into a proxy's configuration: nothing that could end a value there gets into one."""

import re
from typing import NamedTuple, Self

_HOST = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9.-]{0,252}[A-Za-z0-9])?|\[[0-9A-Fa-f:.]{2,45}\]")
_PATH = re.compile(r"/[A-Za-z0-9._/@+~-]{1,106}")
"""A Unix socket's path has at most 107 bytes."""
UNIX = "unix:"
"""What an address begins with that is the path of a Unix socket."""
_HIGHEST = 65_535


class Address(NamedTuple):
    """Where something listens: a host and a port, or the absolute path of a Unix socket."""

    host: str = ""
    port: int = 0
    path: str = ""

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read `http://host:port`, `host:port` or `unix:/path`. Raises ValueError."""
        if text.startswith(UNIX):
            path = text.removeprefix(UNIX)
            if not _PATH.fullmatch(path):
                raise ValueError(
                    f"{text!r} is no address of a Unix socket: write unix:/its/absolute/path, of at most 107 letters, "
                    "digits and . _ / @ + ~ -"
                )
            return cls(path=path)
        if text.startswith("https://"):
            raise ValueError(
                f"{text!r} is HTTPS, which these configurations do not speak to what is behind the proxy: "
                "give an address of this machine, or of a network that is trusted as much"
            )
        host, _, port = text.removeprefix("http://").removesuffix("/").rpartition(":")
        if not _HOST.fullmatch(host) or not re.fullmatch(r"[0-9]{1,5}", port) or not 0 < int(port) <= _HIGHEST:
            raise ValueError(f"{text!r} is no address: write http://host:port, or unix:/path for a Unix socket")
        return cls(host, int(port))

    @classmethod
    def listen(cls, text: str) -> Self:
        """Read what a proxy listens on: `host:port`. Raises ValueError."""
        address = cls.parse(text)
        if address.path:
            raise ValueError(f"{text!r} is a Unix socket: a proxy listens on host:port here")
        return address

    def __str__(self) -> str:
        return f"unix:{self.path}" if self.path else f"http://{self.at}"

    @property
    def at(self) -> str:
        """The host and the port."""
        return f"{self.host}:{self.port}"

    @property
    def bare_host(self) -> str:
        """The host without the brackets of IPv6."""
        return self.host.strip("[]")
