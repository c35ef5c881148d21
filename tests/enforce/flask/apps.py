"""Applications whose routes all answer alike, and their tables, for the tests of Flask's adapter."""

import pytest
from flask import Flask, request

from scopekey.enforce.flask import RulesError, requires, rules_of
from tests.contract import routes


def table(app, **options):
    """The table as text: each operation and what it needs."""
    return routes.table(rules_of(app, **options))


def served(**values):
    return {"served": request.url_rule.rule} | values


def app_with(*paths, declared=None, **options):
    """An application whose routes all need datasets:read."""
    app = Flask("made_up", static_folder=None)
    for number, path in enumerate(paths):
        app.add_url_rule(path, f"r{number}", (declared or requires("datasets:read"))(served), **options)
    return app


def faults(app, **options):
    with pytest.raises(RulesError) as raised:
        rules_of(app, **options)
    return raised.value.faults


def ask(app, keys, target, *permissions, method="GET", **options):
    secret = keys.add(*permissions)
    return app.test_client().open(target, method=method, headers={"X-API-Key": secret}, **options)
