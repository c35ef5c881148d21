import pytest

from scopekey.wire.toml_lines import TomlLines

DOCUMENT = '''\
# a comment with "quotes" and [[rule]]
title = """
[[rule]]
operation = 1 \\"""
still text""""

[[rule]] # one
"operation" = 'a # no comment'
requires = [
  "a:read", # ]
  [ "b:read" ],
]

[[rule]]
object.name = 1
[rule.more]
deep = true
[own]
a.b = {c = 1, "d e" = [2,
 3]}
[[ rule . inner ]]
x = 1979-05-27T07:32:00.5Z
'''


@pytest.mark.parametrize(
    ("line", "path"),
    [
        (2, ("title",)),
        (7, ("rule", 0)),
        (8, ("rule", 0, "operation")),
        (9, ("rule", 0, "requires")),
        (11, ("rule", 0, "requires", 1)),
        (14, ("rule", 1)),
        (15, ("rule", 1, "object", "name")),
        (17, ("rule", 1, "more", "deep")),
        (19, ("own", "a", "b", "d e")),
        (20, ("own", "a", "b", "d e", 1)),
        (21, ("rule", 1, "inner", 0)),
        (22, ("rule", 1, "inner", 0, "x")),
        (14, ("rule", 1, "missing")),
        (1, ("missing",)),
    ],
)
def test_a_path_stands_on_its_line_or_on_that_of_the_table_around_it(line, path):
    assert line == TomlLines(DOCUMENT).line(*path)


def test_tables_of_an_inline_array_have_their_lines():
    lines = TomlLines(
        'rule = [\n  {operation = "GET /a"},\n\n  {operation = "GET /b", requires = []}, # last\n]\nz = 1'
    )
    assert (2, 4, 4, 6) == (
        lines.line("rule", 0, "operation"),
        lines.line("rule", 1),
        lines.line("rule", 1, "requires"),
        lines.line("z"),
    )
