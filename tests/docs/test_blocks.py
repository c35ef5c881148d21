"""Every block of every page does what the page says. A page's blocks are run in order and share a folder and names."""

import contextlib
import io
import shutil
import sys

import pytest

from tests.docs.blocks import Block, blocks, commands, fits, needed, printed
from tests.docs.shell import MODULES, ROOT, Shell, environment, install_packages

RUN = {"python", "console"}
PAGES = sorted(
    page.relative_to(ROOT).as_posix()
    for pattern in ("README.md", "docs/**/*.md", "spec/**/*.md")
    for page in ROOT.glob(pattern)
    if any(block.kind in RUN for block in blocks(page.read_text(encoding="utf-8")))
)


@pytest.fixture
def shell(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    modules = set(sys.modules)
    opened = Shell(tmp_path)
    yield opened
    opened.close()
    # A page's own files are modules of that page alone.
    for name in set(sys.modules) - modules:
        if str(getattr(sys.modules[name], "__file__", "")).startswith(str(tmp_path)):
            del sys.modules[name]


@pytest.mark.parametrize("page", PAGES)
def test_every_block_of_the_page_runs(page, shell, tmp_path):
    names = {"__name__": "__page__"}
    text_of_page = (ROOT / page).read_text(encoding="utf-8")
    for program in needed(text_of_page):
        if shutil.which(program, path=environment()["PATH"]) is None:
            pytest.skip(f"{program} is not installed on this machine")
        if program == "node":
            if not MODULES.exists():
                pytest.skip("the packages of clients/typescript are not installed: `make test` does it")
            install_packages(tmp_path)
    for block in blocks(text_of_page):
        kind, text = block.note
        if kind == "file":
            (tmp_path / text).write_text(shell.real(block.text), encoding="utf-8")
        elif kind == "not run":
            continue
        elif block.kind == "python":
            run_python(block, page, names, shell)
        elif block.kind == "console":
            run_console(block, page, shell)


def run_python(block, page, names, shell):
    output = io.StringIO()
    # The lines before it are empty, so that an error names the page's own line.
    program = compile("\n" * (block.line - 1) + shell.real(block.text), str(ROOT / page), "exec")
    with contextlib.redirect_stdout(output):
        exec(program, names)
    assert printed(block.text) == shell.written(output.getvalue()).splitlines(), f"{page}:{block.line}"


def run_console(block, page, shell):
    for command in commands(block.text):
        output = shell.run(command.text)
        assert fits(command.output, output), f"{page}:{block.line}: {command.text}\n\nprinted:\n{output}"


def test_a_block_that_is_left_out_says_why():
    text = "<!-- not run: it would fetch a package -->\n```console\n$ pip install it\n```\n"
    assert [Block("console", "$ pip install it\n", 3, ("not run", "it would fetch a package"))] == list(blocks(text))


def test_a_page_says_which_programs_it_needs():
    assert ["nginx", "curl"] == needed(
        "Words.\n\n<!-- needs: nginx -->\n<!-- needs: curl -->\nas in <!-- needs: it -->\n"
    )


def test_a_note_reaches_only_the_block_right_after_it():
    text = "<!-- file: a.py -->\n\nWords.\n\n```python\n1\n```\n"
    assert [Block("python", "1\n", 6)] == list(blocks(text))


def test_an_output_fits_only_where_all_that_is_shown_is_printed():
    assert fits("id\t…\nname\tDashboard", "id\tkey_1\nname\tDashboard\n")
    assert not fits("id\t…\nname\tDashboard", "id\tkey_1\nname\tOther\n")
    assert not fits("", "something\n")


def test_a_command_may_go_on_in_the_next_line():
    assert ["one \\\n  two", "three"] == [command.text for command in commands("$ one \\\n  two\nprints\n$ three\n")]
