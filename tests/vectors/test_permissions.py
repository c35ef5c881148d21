import pytest

from scopekey.core.catalog import UnknownPermissionError
from scopekey.core.grant import register
from scopekey.core.permission import InvalidPermissionError, Permission
from tests.vectors.rows import catalog_of, vectors

FILE = vectors("permissions.json")


@pytest.mark.parametrize("row", [row for row in FILE["parse"] if "refused" not in row], ids=lambda row: row["why"])
def test_a_permission_is_a_resource_and_a_level(row):
    parsed = Permission.parse(row["text"])
    assert (row["resource"], row["level"], row["text"]) == (parsed.resource, parsed.level, str(parsed))


@pytest.mark.parametrize("row", [row for row in FILE["parse"] if "refused" in row], ids=lambda row: row["why"])
def test_what_is_no_permission_is_refused(row):
    with pytest.raises(InvalidPermissionError):
        Permission.parse(row["text"])


@pytest.mark.parametrize("row", FILE["catalogs"], ids=lambda row: row["why"])
def test_a_catalog_has_its_permissions_in_order(row):
    assert row["permissions"] == list(catalog_of(row["catalog"]).permissions)


@pytest.mark.parametrize("row", FILE["aliases"], ids=lambda row: row["text"])
def test_an_alias_is_the_same_permission(row):
    catalog = catalog_of(row["catalog"])
    if row["permission"] is None:
        with pytest.raises(UnknownPermissionError):
            catalog.permission(row["text"])
    else:
        assert row["permission"] == str(catalog.permission(row["text"]))


@pytest.mark.parametrize("history", FILE["registers"], ids=lambda history: history["name"])
def test_a_permission_keeps_its_bit_through_a_history_of_catalogs(history):
    known = None
    for step in history["steps"]:
        known = register(catalog_of(step["catalog"]), known)
        assert (step["bits"], step["next_bit"]) == (known.bits, known.next_bit)
