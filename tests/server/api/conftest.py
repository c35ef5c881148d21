"""A key to try calls on."""

import pytest


@pytest.fixture
def ask(operator):
    """Ask for a key that may read datasets; further members or headers as they are given."""

    def ask(headers=None, **asked):
        body = {"name": "Dashboard", "permissions": ["datasets:read"], **asked}
        return operator("POST", "/v1/keys", body, headers=headers or {})

    return ask


@pytest.fixture
def key(ask):
    """A key, as its creation answered."""
    return ask().json()["key"]
