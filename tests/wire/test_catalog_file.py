import pytest
from hypothesis import given
from hypothesis import strategies as st

from scopekey.core.catalog import Catalog, Preset, Resource
from scopekey.wire.catalog_file import read_catalog, write_catalog
from scopekey.wire.toml_file import FileError

CONTRACT = """\
name = "data_platform"
levels = ["read", "write"]            # the default
observes = ["read"]                   # levels that change nothing
implies = {}                          # e.g. {write = ["read"]}; the default is none
own = {keys = "access_tokens"}        # an alias

[[resource]]
name = "datasets"
title = "Datasets"
group = "Core Data"
levels = ["read"]
covers = "metadata, samples, statistics, access rules"

[[resource]]
name = "access_tokens"

[[preset]]
name = "read_only_analytics"
title = "Read-only analytics"
permissions = ["datasets:read", "scopekey_keys:read"]
"""


def faults(text):
    with pytest.raises(FileError) as raised:
        read_catalog(text, "catalog.toml")
    return [str(fault) for fault in raised.value.faults]


def test_the_contracts_example_is_read_and_an_alias_takes_the_catalogs_name():
    assert read_catalog(CONTRACT, "catalog.toml") == Catalog(
        "data_platform",
        (
            Resource("datasets", "Datasets", "Core Data", ("read",), "metadata, samples, statistics, access rules"),
            Resource("access_tokens", "Access Tokens", "Other", ("read", "write")),
        ),
        (Preset("read_only_analytics", "Read-only analytics", ("datasets:read", "access_tokens:read")),),
        own={"keys": "access_tokens"},
    )


def test_every_fault_is_told_at_once_each_at_its_line_with_what_to_do():
    text = """\
nmae = "x"
levels = ["read"]
[[resource]]
name = "datasets"
levels = ["raed"]
[[resource]]
title = 3
[[resource]]
name = "datasets"
[[resource]]
name = "scopekey_keys"
[[preset]]
name = "p"
permissions = [
  "dataset:read",
  "scopekey_audit:read",
]
"""
    assert [
        'catalog.toml:1: `name` is missing; add name = "data_platform"',
        "catalog.toml:1: there is no key 'nmae' here; did you mean 'name'?",
        "catalog.toml:5: resource 'datasets' offers the unknown level 'raed'; `levels` declares read",
        'catalog.toml:6: `name` is missing; add name = "datasets"',
        'catalog.toml:7: `title` is a number; write a string, as in "name"',
        "catalog.toml:9: resource 'datasets' is declared twice: remove or rename one",
        "catalog.toml:11: resource name 'scopekey_keys': the prefix 'scopekey_' is reserved",
        "catalog.toml:14: preset 'p' holds 'scopekey_audit:read': Scopekey's own permissions may not be in a preset",
        "catalog.toml:14: preset 'p' holds the unknown permission 'dataset:read'; did you mean 'datasets:read'?",
    ] == sorted(faults(text), key=lambda fault: (int(fault.split(":")[1]), fault.split(":", 2)[2]))


@pytest.mark.parametrize(
    ("line", "text"),
    [
        (2, 'name = "x"\nobserves = ["look"]'),
        (2, 'name = "x"\nlevels = []'),
        (2, 'name = "x"\nlevels = "read"'),
        (2, 'name = "x"\n[own]\nkyes = "datasets"'),
        (3, 'name = "x"\n[implies]\nwrite = "read"'),
        (2, 'name = "x"\nresource = {}'),
        (3, 'name = "x"\nresource = [\n1]'),
    ],
)
def test_a_wrong_type_or_name_is_a_fault_of_its_line(line, text):
    assert line in [int(fault.split(":")[1]) for fault in faults(text)]


def test_levels_without_read_observe_nothing_unless_the_catalog_says_so():
    assert () == read_catalog('name = "x"\nlevels = ["use"]', "c").observes


WORDS = st.from_regex(r"[a-z][a-z0-9_]{0,6}", fullmatch=True)


@st.composite
def catalogs(draw):
    levels = tuple(draw(st.lists(WORDS, min_size=1, max_size=4, unique=True)))
    some = st.lists(st.sampled_from(levels), min_size=1, unique=True).map(tuple)
    names = draw(st.lists(WORDS.filter(lambda name: not name.startswith("scopekey_")), max_size=4, unique=True))
    resources = tuple(Resource(name, draw(st.text()), draw(st.text()), draw(some), draw(st.text())) for name in names)
    known = [f"{resource.name}:{level}" for resource in resources for level in resource.levels]
    held = st.lists(st.sampled_from(known), max_size=3).map(tuple) if known else st.just(())
    presets = draw(st.lists(st.text(), max_size=3, unique=True))
    able = [r.name for r in resources if {"read", "write"} <= set(r.levels)]
    return Catalog(
        draw(st.text()),
        resources,
        tuple(Preset(name, draw(st.text()), draw(held)) for name in presets),
        levels,
        draw(some),
        draw(st.dictionaries(st.sampled_from(levels), some, max_size=2)),
        {"keys": able[0]} if able else {},
    )


@given(catalogs())
def test_a_catalog_is_read_as_it_was_written(catalog):
    assert catalog == read_catalog(write_catalog(catalog, header="a comment\nof two lines"), "c.toml")


def test_a_written_catalog_with_an_alias_is_read_as_it_was_written():
    catalog = read_catalog(CONTRACT, "catalog.toml")
    assert catalog == read_catalog(write_catalog(catalog), "c.toml")
