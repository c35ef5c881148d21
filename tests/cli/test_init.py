"""`scopekey init`: the home folder and the first key."""

import re
import stat

import pytest

from scopekey.cli.main import PRINTED
from tests.cli.terminal import at_a_terminal, plain

SECRET_FILES = ("pepper", "signing_key", "scopekey.db")


def names(folder):
    return [file.name for file in folder.iterdir()]


def mode(file):
    return stat.S_IMODE(file.stat().st_mode)


def test_into_a_pipe_no_key_is_printed_and_nothing_is_made(command, home):
    ended = command("init")
    assert 2 == ended.code
    assert "--key-file" in ended.err
    assert not home.exists()


def test_the_first_key_goes_into_a_file_that_only_its_owner_can_read(command, folder, home):
    ended = command("init", "--key-file", "first")
    assert 0 == ended.code
    printed = (folder / "first").read_text().strip()
    assert PRINTED.fullmatch(printed)
    assert printed not in ended.out + ended.err
    assert [0o600] * 4 == [mode(file) for file in (folder / "first", *(home / n for n in SECRET_FILES))]
    assert 0o700 == mode(home)


def test_at_a_terminal_the_first_key_is_shown_once(command, home):
    code, shown = at_a_terminal("init", home=home)
    assert 0 == code
    (printed,) = PRINTED.findall(plain(shown))
    assert "This is the only time it is shown." in shown
    assert 0 == command("check", "-", "scopekey_keys:write", stdin=printed).code


def test_a_home_that_is_there_is_refused_and_left_as_it_is(command, operator, home, folder):
    before = {file: file.read_bytes() for file in (home / "pepper", home / "signing_key")}
    ended = command("init", "--key-file", "another")
    assert 2 == ended.code
    assert "is a home folder already" in ended.err
    assert before == {file: file.read_bytes() for file in before}
    assert not (folder / "another").exists()
    assert 0 == command("check", "-", "datasets:read", stdin=operator).code


@pytest.mark.parametrize(
    ("catalog", "said"),
    [
        ("name = ", r"catalog\.toml:1: this is not TOML"),
        ('[[resource]]\nname = "a"\n', r"catalog\.toml:1: `name` is missing"),
    ],
)
def test_a_bad_catalog_leaves_nothing_behind(command, folder, home, catalog, said):
    (folder / "catalog.toml").write_text(catalog)
    ended = command("init", "--key-file", "first", catalog="catalog.toml")
    assert 2 == ended.code
    assert re.search(said, ended.err)
    assert ["catalog.toml"] == names(folder)


def test_bad_rules_leave_nothing_behind(command, folder, home):
    (folder / "rules.toml").write_text('[[rule]]\noperation = "GET /a"\nrequires = "nothing:read"\n')
    ended = command("init", "--key-file", "first", rules="rules.toml")
    assert 2 == ended.code
    assert "rules.toml:3: " in ended.err
    assert ["rules.toml"] == names(folder)


@pytest.mark.parametrize("taken", ["file", "dangling link"])
def test_an_existing_key_file_is_refused_before_anything_is_made(command, folder, home, taken):
    if taken == "file":
        (folder / "first").write_text("mine")
    else:
        (folder / "first").symlink_to("nowhere")
    ended = command("init", "--key-file", "first")
    assert 2 == ended.code
    assert "exists already" in ended.err
    assert ["first"] == names(folder)


def test_a_key_file_in_a_folder_that_is_not_there_is_refused_before_anything_is_made(command, folder):
    ended = command("init", "--key-file", "missing/first")
    assert 2 == ended.code
    assert [] == names(folder)


@pytest.mark.parametrize("pepper", ["", "ab", "zz" * 32])
def test_a_bad_pepper_in_the_environment_leaves_nothing_behind(command, folder, pepper):
    ended = command("init", "--key-file", "first", pepper=pepper)
    assert 2 == ended.code
    assert [] == names(folder)
