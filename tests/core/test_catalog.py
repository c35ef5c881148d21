import pytest

from scopekey.core.catalog import (
    MAX_LENGTH,
    OPERATOR_ONLY,
    Catalog,
    CatalogError,
    Preset,
    Resource,
    UnknownPermissionError,
    nearest,
)
from scopekey.core.permission import Permission

DATASETS = Resource("datasets", "Datasets", "Core Data", ("read", "write"))
TOKENS = Resource("access_tokens", "Access Tokens", "Access", ("read", "write"))
JOBS = Resource("jobs", "Jobs", "Operations", ("read",))


def faults(**parts):
    with pytest.raises(CatalogError) as caught:
        Catalog("platform", **{"resources": (DATASETS, JOBS), **parts})
    return [(fault.where, fault.message) for fault in caught.value.faults]


def preset(*permissions, name="p"):
    return Preset(name, "P", permissions)


@pytest.mark.parametrize(
    ("asked", "hint"),
    [
        ("dataset:read", "did you mean 'datasets:read'?"),
        ("datasets:reed", "did you mean 'datasets:read'?"),
        ("Datasets:Read", "did you mean 'datasets:read'?"),
        ("jobs:write", "did you mean 'jobs:read'?"),
        ("scopekey_key:read", "did you mean 'scopekey_keys:read'?"),
        ("datasets:read:42", "did you mean 'datasets:read'?"),
    ],
)
def test_an_unknown_permission_is_named_with_the_nearest_known_one(asked, hint):
    catalog = Catalog("platform", (DATASETS, JOBS))
    with pytest.raises(UnknownPermissionError) as caught:
        catalog.permission(asked)
    assert f"there is no permission {asked!r}; {hint}" == str(caught.value)


def test_what_is_like_nothing_known_gets_no_hint():
    with pytest.raises(UnknownPermissionError, match=r"there is no permission 'qqqq'$"):
        Catalog("platform", (DATASETS,)).permission("qqqq")


def test_a_stranger_cannot_make_the_search_for_the_nearest_slow():
    assert nearest("d" * (MAX_LENGTH + 1), ["d" * MAX_LENGTH]) is None
    assert "d" * MAX_LENGTH == nearest("d" * (MAX_LENGTH - 1) + "e", ["d" * MAX_LENGTH])


@pytest.mark.parametrize(
    ("parts", "where", "words"),
    [
        ({"resources": (DATASETS, DATASETS)}, ("resource", 1, "name"), "declared twice"),
        ({"resources": (Resource("scopekey_x", "X", "G", ("read",)),)}, ("resource", 0, "name"), "is reserved"),
        ({"resources": (Resource("Data Sets", "X", "G", ("read",)),)}, ("resource", 0, "name"), "must match"),
        ({"resources": (Resource("x", "X", "G", ("reed",)),)}, ("resource", 0, "levels"), "unknown level 'reed'"),
        ({"resources": (Resource("x", "X", "G", ()),)}, ("resource", 0, "levels"), "no level"),
        ({"resources": (Resource("x", "X", "G", ("read", "read")),)}, ("resource", 0, "levels"), "a level twice"),
        ({"levels": ("read", "write", "Admin")}, ("levels",), "'Admin' must match"),
        ({"levels": ("read", "write", "read")}, ("levels",), "a level twice"),
        ({"observes": ("look",)}, ("observes",), "'look'"),
        ({"implies": {"write": ("all",)}}, ("implies",), "'all'"),
        ({"implies": {"all": ("read",)}}, ("implies",), "'all'"),
        ({"own": {"secrets": "datasets"}}, ("own",), "names 'secrets'"),
        ({"own": {"keys": "tokens"}}, ("own",), "not a resource of this catalog"),
        ({"own": {"keys": "jobs"}}, ("own",), "must offer read and write"),
        ({"own": {"keys": "datasets", "audit": "datasets"}}, ("own",), "to the same one"),
        ({"presets": (preset("jobs:write"),)}, ("preset", 0, "permissions"), "did you mean 'jobs:read'"),
        ({"presets": (preset("jobs"),)}, ("preset", 0, "permissions"), "is not a permission"),
        ({"presets": (preset("scopekey_keys:read"),)}, ("preset", 0, "permissions"), "may not be in a preset"),
        ({"presets": (preset(), preset())}, ("preset", 1, "name"), "declared twice"),
    ],
)
def test_a_catalog_that_contradicts_itself_says_where_and_why(parts, where, words):
    found = faults(**parts)
    assert [where] == [place for place, _ in found]
    assert words in found[0][1]


def test_everything_that_is_wrong_is_told_at_once():
    found = faults(resources=(DATASETS, DATASETS), presets=(preset("x:read"),), observes=("look",))
    assert [("observes",), ("resource", 1, "name"), ("preset", 0, "permissions")] == [where for where, _ in found]


def test_a_catalog_without_levels_offers_nothing():
    assert ("levels",) in [where for where, _ in faults(levels=(), observes=(), resources=())]


def test_a_preset_may_name_a_resource_by_its_alias():
    catalog = Catalog("p", (TOKENS,), (preset("scopekey_keys:read", "access_tokens:write"),), own={"keys": TOKENS.name})
    assert ["access_tokens:read", "access_tokens:write"] == [
        str(catalog.permission(text)) for text in catalog.presets[0].permissions
    ]


def test_permissions_and_presets_have_words_for_people():
    catalog = Catalog(
        "p", (Resource("views", "Saved Views", "G", ("read_all",)),), (preset(),), levels=("read_all",), observes=()
    )
    assert "Read all Saved Views" == catalog.title(Permission("views", "read_all"))
    assert "P" == catalog.preset("p").title
    assert catalog.preset("q") is None


def test_only_declared_levels_observe_and_our_own_follow_read_and_write():
    catalog = Catalog("p", (TOKENS, JOBS), observes=(), own={"keys": TOKENS.name})
    looking = [text for text in catalog.permissions if catalog.observing(catalog.permission(text))]
    assert "jobs:read" not in looking
    assert "access_tokens:read" in looking
    assert "scopekey_audit:read" in looking
    assert "scopekey_audit:write" not in looking


def test_what_reaches_across_organizations_stays_the_operators_under_an_alias():
    tenants = Resource("tenants", "Tenants", "Access", ("read", "write"))
    catalog = Catalog("p", (tenants, JOBS), own={"organizations": "tenants"})
    reaching = {text.partition(":")[0] for text, found in catalog.permissions.items() if catalog.operator_only(found)}
    assert {"tenants", *OPERATOR_ONLY} - {"scopekey_organizations"} == reaching


def test_levels_that_imply_one_another_in_a_circle_end():
    catalog = Catalog(
        "p",
        (Resource("x", "X", "G", ("a", "b", "c")),),
        levels=("a", "b", "c"),
        observes=(),
        implies={"a": ("b",), "b": ("c",), "c": ("a",)},
    )
    assert {"b", "c"} == {permission.level for permission in catalog.implied(Permission("x", "a"))}
