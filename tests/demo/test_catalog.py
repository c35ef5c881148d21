"""The platform's catalog, read as any reader of TOML would read it."""

import tomllib
from collections import Counter

import pytest

from scopekey.demo.platform import CATALOG


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
