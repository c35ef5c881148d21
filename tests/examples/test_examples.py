"""Every example runs as its own first lines say, and guards the same small API, with the keys that the README makes."""

import re
import shutil

import httpx
import pytest

from tests.docs.blocks import blocks, commands, fits
from tests.docs.shell import ROOT, Shell
from tests.journeys.planes import until
from tests.journeys.proxies.fronting import needed

EXAMPLES = ROOT / "examples"
README = (EXAMPLES / "README.md").read_text(encoding="utf-8")
APPS = sorted(path.name for pattern in ("*_app.py", "behind_*.py") for path in EXAMPLES.glob(pattern))
LONGEST = 60
"""Lines of an example: more of them are not read at once."""

pytestmark = pytest.mark.journey


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A copy of the examples, set up as the README says."""
    folder = tmp_path_factory.mktemp("examples") / "examples"
    shutil.copytree(EXAMPLES, folder, ignore=shutil.ignore_patterns(".scopekey", "*.key", "__pycache__"))
    shell = Shell(folder)
    for block in blocks(README):
        for command in commands(block.text) if block.kind == "console" and block.note[0] != "not run" else ():
            output = shell.run(command.text)
            assert fits(command.output, output), f"{command.text}\n\nprinted:\n{output}"
    shell.close()
    return folder


@pytest.fixture
def shell(folder):
    shell = Shell(folder)
    yield shell
    shell.close()


@pytest.fixture
def client(shell):
    with httpx.Client(base_url=shell.real("http://127.0.0.1:8000"), timeout=20) as client:
        yield client


def key(folder, name):
    return {"Authorization": f"Bearer {(folder / f'{name}.key').read_text().strip()}"}


@pytest.mark.parametrize("name", APPS)
def test_the_example_runs_as_it_says_and_lets_each_key_do_what_it_holds(folder, shell, client, name):
    proxy = re.match(r"behind_(\w+)\.py", name)
    if proxy:
        needed(proxy[1])
    command = re.search(r"^Run: (.+)$", (EXAMPLES / name).read_text(encoding="utf-8"), re.MULTILINE)
    shell.run(f"{command[1]} &")
    reader, writer = key(folder, "reader"), key(folder, "writer")

    # A proxy listens before there is anybody whom it could ask.
    until(200, lambda: client.get("/healthz").status_code, within=30)
    read = client.get("/datasets/7", headers=reader)
    # Some frameworks give a number of a path as text.
    assert (200, "7") == (read.status_code, str(read.json()["id"]))
    assert "datasets:read" == read.headers["scopekey-requires"]
    assert re.fullmatch("key_[0-9A-Za-z]{12}", read.json()["asked_by"])

    refused = client.delete("/datasets/7", headers=reader)
    assert (401, "missing_permission", ["datasets:write"]) == (
        refused.status_code,
        refused.json()["code"],
        refused.json()["missing"],
    )
    assert "7" == str(client.delete("/datasets/7", headers=writer).json()["deleted"])

    assert (401, "no_credential") == (client.get("/datasets/7").status_code, client.get("/datasets/7").json()["code"])
    assert "unlisted_operation" == client.get("/elsewhere", headers=writer).json()["code"]
    assert (200, {"ok": True}) == (client.get("/healthz").status_code, client.get("/healthz").json())


@pytest.mark.parametrize("name", sorted(path.name for path in EXAMPLES.glob("*.py")))
def test_an_example_is_short_and_named_in_the_readme(name):
    assert LONGEST > len((EXAMPLES / name).read_text(encoding="utf-8").splitlines())
    assert f"`{name}`" in README or name.startswith("behind_")
