"""The platform's catalog: plain TOML, and a catalog that Scopekey takes."""

import tomllib
from collections import Counter

import pytest

from scopekey.demo.platform import CATALOG
from scopekey.wire.catalog_file import read_catalog


@pytest.fixture(scope="module")
def catalog():
    return tomllib.loads(CATALOG.read_text())


@pytest.fixture(scope="module")
def levels(catalog):
    return {resource["name"]: resource["levels"] for resource in catalog["resource"]}


def test_it_names_27_resources_in_6_groups(catalog):
    assert Counter(
        {
            "Core Data": 5,
            "Infrastructure": 5,
            "Applications": 6,
            "Identity & Access": 3,
            "Automation": 5,
            "Schema & Mapping": 3,
        }
    ) == Counter(resource["group"] for resource in catalog["resource"])


def test_six_resources_offer_write_alone(levels):
    assert {
        "encryption_materials",
        "app_events",
        "profile_store_data",
        "users",
        "model_training",
        "attributes",
    } == {name for name, offered in levels.items() if offered == ["write"]}


def test_every_other_resource_offers_read_and_write(levels):
    assert 21 == sum(offered == ["read", "write"] for offered in levels.values())


def test_its_four_presets_hold_permissions_it_offers(catalog, levels):
    assert 4 == len(catalog["preset"])
    for preset in catalog["preset"]:
        for permission in preset["permissions"]:
            resource, level = permission.split(":")
            assert level in levels[resource]


def test_its_keys_are_its_access_tokens(catalog):
    assert {"keys": "access_tokens"} == catalog["own"]
    assert "data_platform" == catalog["name"]


def test_scopekey_takes_it_as_it_is():
    catalog = read_catalog(CATALOG.read_text("utf-8"), CATALOG.name)
    assert 27 == len(catalog.resources)
    assert "access_tokens:write" == str(catalog.permission("scopekey_keys:write"))
