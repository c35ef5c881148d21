"""Commands run in this process: quick, and with nothing of Scopekey's in the environment but what a test gives."""

import io
import os
import sys
from typing import NamedTuple

import pytest

from scopekey.cli.main import run
from scopekey.demo.platform import CATALOG
from scopekey.server.beginning import begin
from scopekey.settings import Settings


class Ended(NamedTuple):
    code: int
    out: str
    err: str


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """The working folder, empty, with an environment that says nothing of Scopekey."""
    for name in [name for name in os.environ if name.startswith("SCOPEKEY_")]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def command(folder, monkeypatch, capsys):
    """Run a command line as if typed into a pipe; other arguments are settings of the environment."""

    def command(*words, stdin="", **settings):
        with monkeypatch.context() as patch:
            for name, value in settings.items():
                patch.setenv(f"SCOPEKEY_{name.upper()}", str(value))
            patch.setattr(sys, "argv", ["scopekey", *map(str, words)])
            patch.setattr(sys, "stdin", io.StringIO(stdin))
            code = 0
            try:
                run()
            except SystemExit as ended:
                code = ended.code or 0
        return Ended(code, *capsys.readouterr())

    return command


@pytest.fixture
def home(folder):
    """A home folder of the demo's catalog."""
    return folder / ".scopekey"


@pytest.fixture
def operator(home):
    """The printed key that `init` made."""
    return begin(Settings(home=home, catalog=CATALOG))


@pytest.fixture
def issue(command, operator, folder):
    """Issue a key as the machine: its id and its printed form."""
    made = []

    def issue(*permissions, name="Dashboard", **settings):
        file = folder / f"key-{len(made)}"
        words = [word for permission in permissions for word in ("-p", permission)]
        ended = command("keys", "create", name, *words, "--key-file", file, "--local", **settings)
        assert ended.code == 0, ended.err
        made.append(file)
        return dict(line.split("\t", 1) for line in ended.out.splitlines())["id"], file.read_text().strip()

    return issue
