"""What stands behind a proxy in the examples: Scopekey and an API, each on a Unix socket, ended with the proxy."""

import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def behind(proxy: str, *files: str, port: str, http: str = "auto") -> Iterator[Path]:
    """Run Scopekey and the API, and give the folder with the proxy's configuration; the block starts the proxy.

    All of it ends with the proxy, or when this program is told to end. `http` is how uvicorn reads requests.
    """
    signal.signal(signal.SIGTERM, lambda *_: sys.exit())
    # 0700: nobody else gets into the folder, so there is no way to the API but through the proxy.
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        api, check = folder / "api.sock", folder / "check.sock"
        where = ["--api", f"unix:{api}", "--gateway", f"unix:{check}", "--state", name, "--listen", f"127.0.0.1:{port}"]
        for file in files:
            config = ["scopekey", "gateway", "config", proxy, "--file", file, *where]
            (folder / file).write_bytes(subprocess.check_output(config))  # noqa: S603 - the commands are the examples' own
        with (
            _running("scopekey", "serve", "--port", "0", "--socket", str(check), listens=check),
            _running("uvicorn", "api:app", "--http", http, "--uds", str(api), listens=api),
        ):
            yield folder


@contextmanager
def _running(*command: str, listens: Path) -> Iterator[None]:
    """Run a program until the block ends, which begins when it listens on its Unix socket."""
    process = subprocess.Popen(command)  # noqa: S603 - the same
    try:
        while not listens.exists() and process.poll() is None:
            time.sleep(0.05)
        yield
    finally:
        process.terminate()
        process.wait()
