"""The part of `docs/internals/doors.md` that is measured: versions, tables, and what is known of servers."""

import subprocess
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path

from scopekey.demo.proxy import program
from tests.attacks.known import KNOWN
from tests.attacks.measure import Measured
from tests.attacks.table import markdown

PAGE = Path(__file__).parents[2] / "docs" / "internals" / "doors.md"
BEGIN = '<!-- Measured: written by `make test ARGS="tests/attacks --write-doors"`, up to the next such line. -->\n'
END = "<!-- The end of what is measured. -->\n"
PACKAGES = ("uvicorn", "httptools", "h11", "gunicorn", "waitress", "starlette", "fastapi", "flask", "django")
PROXIES = {"nginx": ("-v",), "caddy": ("version",), "haproxy": ("-v",)}


def versions() -> str:
    """The line that says what was measured with."""
    packages = [f"{name} {version(name)}" for name in PACKAGES]
    proxies = [f"{name} {_said(name, words)}" for name, words in PROXIES.items()]
    return f"Measured with {', '.join(packages + proxies)}."


def _said(name: str, words: Sequence[str]) -> str:
    found = program(name)
    if found is None:
        return "(not installed)"
    said = subprocess.run([found, *words], capture_output=True, text=True, check=True)
    first = (said.stdout + said.stderr).splitlines()[0]
    # "nginx version: nginx/1.22.1", "2.6.2", "HAProxy version 2.6.12-1+deb12u4 2026/10/17 - …"
    return next(word for word in first.replace("/", " ").split() if word[0].isdigit()).partition("-")[0]


def block(measured: Sequence[Measured]) -> str:
    """All that stands between the two marks."""
    known = [
        "### Beside the law",
        "",
        "What servers do that is theirs to mend; a test holds that each still happens.",
        "",
    ]
    known += ["| fronts | cases | found | why |", "| --- | --- | --- | --- |"]
    known += [
        f"| {'; '.join(one.fronts)} | {one.cases} | {one.found} | {one.why} |".replace("*", "\\*") for one in KNOWN
    ]
    return "\n".join([versions(), "", markdown(measured), *known, ""])


def written(page: str, measured: Sequence[Measured]) -> str:
    """The page with what was measured in its place."""
    before, rest = page.split(BEGIN)
    _, after = rest.split(END)
    return before + BEGIN + "\n" + block(measured) + "\n" + END + after
