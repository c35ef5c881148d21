import tomllib
from datetime import date, time

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from scopekey.wire import toml_text
from scopekey.wire.catalog_file import read_catalog
from scopekey.wire.rules_file import read_rules
from scopekey.wire.toml_file import FileError

ROOT = ("name", "levels", "observes", "implies", "own", "resource", "preset", "rule", "cors_preflight")
INNER = ("title", "group", "covers", "permissions", "operation", "requires", "any_of", "public", "object", "mode")
NAMES = st.sampled_from((*ROOT, *INNER, "read", "write", "a:read", "datasets", "keys"))
TEXTS = st.one_of(NAMES, st.sampled_from(["GET /a", "pass", "report", "a:read"]), st.text(max_size=5))
PLAIN = st.one_of(
    TEXTS.map(toml_text.string),
    st.integers().map(str),
    st.booleans().map(lambda value: str(value).lower()),
    st.dates(min_value=date(1000, 1, 1)).map(date.isoformat),
    st.just(time(1, 2, 3).isoformat()),
    st.sampled_from(["nan", "1.5", "-inf"]),
)
KEYS = st.one_of(NAMES, st.text(max_size=3)).map(toml_text.key)


def table_of(values):
    return st.dictionaries(KEYS, values, max_size=5).map(
        lambda pairs: "{" + ", ".join(f"{key} = {value}" for key, value in pairs.items()) + "}"
    )


def array_of(values):
    return st.lists(values, max_size=4).map(lambda items: "[" + ",\n".join(items) + "]")


VALUES = st.recursive(PLAIN, lambda inner: st.one_of(array_of(inner), table_of(inner)), max_leaves=12)
DOCUMENTS = st.dictionaries(KEYS, VALUES, max_size=6).map(
    lambda pairs: "\n".join(f"{key} = {value}" for key, value in pairs.items())
)


@given(st.one_of(DOCUMENTS, st.text()))
@example("a = " + "[" * 5000 + "]" * 5000)
@example("a = " + "9" * 5000)
@example("rule = [{public = 1}, 2, {requires = {}}]")
@example("resource = [{name = 3}]\npreset = [[]]\nlevels = [1]\nown = 2\nimplies = {read = 1}")
def test_any_text_gives_a_value_or_faults_that_stand_in_it_and_never_a_traceback(text):
    for read in (read_catalog, read_rules):
        for fault in faults_of(read, text):
            assert 1 <= fault.line <= text.count("\n") + 1
            assert str(fault).startswith(f"file.toml:{fault.line}: ")


def faults_of(read, text):
    try:
        read(text, "file.toml")
    except FileError as error:
        return error.faults
    return ()


def test_what_is_no_toml_is_told_with_the_line_where_it_stops_being():
    with pytest.raises(FileError, match=r"^rules\.toml:3: this is not TOML: .*; correct the line$"):
        read_rules("\n\n[[rule\n", "rules.toml")


def test_a_byte_order_mark_and_windows_line_ends_change_no_line():
    with pytest.raises(FileError, match=r"^r\.toml:3: there is no key 'modus' here; did you mean 'mode'\?$"):
        read_rules('\ufeff[[rule]]\r\noperation = "GET /"\r\nmodus = 1\r\npublic = true\r\n', "r.toml")


@given(st.text())
def test_a_string_is_read_as_it_was_written(text):
    assert text == tomllib.loads(f"a = {toml_text.string(text)}")["a"]


@given(st.text())
def test_a_comment_never_becomes_more_than_a_comment(text):
    assert {"a": 1} == tomllib.loads("\n".join([*toml_text.comment(text), "a = 1"]))
