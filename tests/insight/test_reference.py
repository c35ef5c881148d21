import random
from html.parser import HTMLParser

from scopekey.core.catalog import Catalog, Preset, Resource
from scopekey.core.grant import Register
from scopekey.core.rules import Rules
from scopekey.insight.reference import Opening, reference
from scopekey.insight.reference_text import html, markdown
from scopekey.wire.rules_file import read_rules

CATALOG = Catalog(
    "platform",
    (
        Resource("datasets", "Datasets", "Core <Data>", ("read", "write"), "tables | samples"),
        Resource("jobs", "Jobs", "", ("write",)),
    ),
    (Preset("readers", "Readers", ("datasets:read",)),),
)
RULES = """
[[rule]]
operation = "GET /datasets"
requires = "datasets:read"

[[rule]]
operation = "POST /runs"
any_of = [["jobs:write", "datasets:read"], ["datasets:write"]]

[[rule]]
operation = "GET /attributes"
public = true

[[rule]]
operation = "GET /whoami"
requires = []
"""


def built(*, own=False, shuffled=0):
    rules = read_rules(RULES, "rules.toml", CATALOG)
    if shuffled:
        rules = Rules(tuple(random.Random(shuffled).sample(rules.rules, len(rules.rules))))
    return reference(Register.first(CATALOG), rules, own=own)


def permission(name):
    resources = [resource for group in built().groups for resource in group.resources]
    return next(p for resource in resources for p in resource.permissions if p.name == name)


def test_a_permission_names_every_operation_it_has_a_part_in_and_what_else_that_needs():
    expected = (Opening("GET /datasets", ()), Opening("POST /runs", ("jobs:write",)))
    assert expected == permission("datasets:read").opens


def test_presets_say_how_many_operations_they_open():
    # `POST /runs` needs more; `GET /whoami` is open to any live key, this one too.
    assert (("readers", 2),) == tuple((preset.name, preset.opens) for preset in built().presets)


def test_public_operations_and_those_of_any_key_stand_apart():
    assert (("GET /attributes",), ("GET /whoami",)) == (built().public, built().any_key)


def test_scopekeys_own_permissions_are_left_out_unless_asked_for():
    assert ("Core <Data>", "") == tuple(group.title for group in built().groups)
    assert "Scopekey" in {group.title for group in built(own=True).groups}


def test_the_order_of_the_rules_changes_not_one_byte():
    texts = {(markdown(built(shuffled=seed)), html(built(shuffled=seed))) for seed in range(1, 6)}
    assert 1 == len(texts)


def test_markdown_shows_levels_and_keeps_cells_whole():
    text = markdown(built())
    assert "| Datasets | tables \\| samples | `datasets:read` | `datasets:write` |" in text
    assert "- `POST /runs` together with `jobs:write`" in text


def test_html_is_well_formed_and_escapes_what_the_catalog_says():
    class Checker(HTMLParser):
        void = frozenset({"meta"})

        def __init__(self):
            super().__init__()
            self.open, self.text = [], ""

        def handle_starttag(self, tag, attrs):
            if tag not in self.void and tag != "br":
                self.open.append(tag)

        def handle_endtag(self, tag):
            assert tag == self.open.pop()

        def handle_data(self, data):
            self.text += data

    checker = Checker()
    checker.feed(html(built()))
    assert [] == checker.open
    assert "Core <Data>" in checker.text
