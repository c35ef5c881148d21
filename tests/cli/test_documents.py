"""Descriptions are read from JSON and YAML; hostile and broken ones are refused with file and line."""

import json

import pytest

from scopekey.cli.acting import CannotActError
from scopekey.cli.documents import LARGEST, load_document

PLAIN = {"openapi": "3.1.0", "info": {"title": "API", "version": "1"}, "paths": {"/a": {"get": {}}}}
YAML = """
openapi: 3.1.0
info: {title: API, version: "1"}
paths:
  /a:
    get: {}
"""
BOMB = """
a: &a [x, x, x, x, x, x, x, x, x]
b: &b [*a, *a, *a, *a, *a, *a, *a, *a]
c: &c [*b, *b, *b, *b, *b, *b, *b, *b]
openapi: 3.1.0
"""


@pytest.mark.parametrize("text", [json.dumps(PLAIN), YAML, "\ufeff" + json.dumps(PLAIN)])
def test_json_and_yaml_say_the_same(tmp_path, text):
    file = tmp_path / "api"
    file.write_text(text, "utf-8")
    assert PLAIN == load_document(file)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('{"openapi": "3.1.0",}', "is not JSON: "),
        ("[1, 2]", "it must be an object"),
        ("openapi: [1\npaths: x", ":2: this is not YAML that can be read"),
        (BOMB, ":3: this is not YAML that can be read: aliases are not read: write the value out"),
        ("a: !!python/object/apply:os.system ['true']", ":1: this is not YAML that can be read"),
        ('{"a":' * 200_000, "nested too deeply"),
        ("- " * 50_000, "is not YAML that can be read"),
        ("\x00", "is not YAML that can be read"),
        ("just words", "it must be an object"),
    ],
)
def test_what_is_no_description_is_refused_with_the_file_and_what_is_wrong(tmp_path, text, told):
    file = tmp_path / "api"
    file.write_text(text, "utf-8")
    with pytest.raises(CannotActError) as said:
        load_document(file)
    assert str(said.value).startswith(str(file))
    assert told in str(said.value)


def test_bytes_that_are_no_text_are_refused(tmp_path):
    file = tmp_path / "api"
    file.write_bytes(b'{"a": "\xff"}')
    with pytest.raises(CannotActError, match=r"is not UTF-8 \(byte 7\)"):
        load_document(file)


def test_fifty_megabytes_are_refused_before_they_are_read(tmp_path):
    file = tmp_path / "api"
    with file.open("wb") as opened:
        opened.truncate(50 * 1024 * 1024)
    assert LARGEST < file.stat().st_size
    with pytest.raises(CannotActError, match="is larger than 32 MiB"):
        load_document(file)


@pytest.mark.parametrize(
    ("paths", "told"),
    [
        ({"/a": {"$ref": "#/components/pathItems/none"}}, "none"),
        ({"/a": {"$ref": "#/paths/~1b"}, "/b": {"$ref": "#/paths/~1a"}}, "/a"),
        (None, "paths"),
    ],
)
def test_broken_references_cycles_and_missing_paths_are_told_and_write_no_rules(command, folder, paths, told):
    document = {name: value for name, value in PLAIN.items() if name != "paths"}
    (folder / "api.json").write_text(json.dumps(document if paths is None else {**document, "paths": paths}))
    ended = command("rules", "import", "api.json", "-o", "rules.toml")
    assert told in ended.err
    assert 2 == ended.code
    assert not (folder / "rules.toml").exists()
