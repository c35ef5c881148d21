"""What every adapter of a framework with routes must do, beside what all adapters do (door.py).

A test module inherits the class of its kind and gives the adapter's module, and how an application is made and asked.
"""

import logging
from typing import NamedTuple

import pytest
from starlette.testclient import TestClient

from scopekey.core.catalog import Catalog, Resource
from scopekey.core.permission import InvalidPermissionError
from scopekey.enforce.asgi import ScopekeyMiddleware
from scopekey.enforce.routes.table import RulesError
from scopekey.testing import Keys


class Made(NamedTuple):
    """A route to be made: what it declares is put at it in this order, nothing where it is bare."""

    method: str
    path: str
    declared: tuple


def get(path, *declared):
    return Made("GET", path, declared)


def table(rules):
    """A table as text: each operation and what it needs, None where it is public."""
    return {str(rule.operation): None if rule.requirement is None else str(rule.requirement) for rule in rules.rules}


class Changing:
    """An ASGI middleware that changes every method to this one."""

    def __init__(self, app, method):
        self.app = app
        self.method = method

    async def __call__(self, scope, receive, send):
        await self.app(scope | ({"method": self.method} if scope["type"] == "http" else {}), receive, send)


class RoutesContract:
    """An adapter that reads its table off the routes. `adapter` is its module."""

    adapter = None

    def application(self, *routes):
        """An application with these routes, which answer 200."""
        raise NotImplementedError

    def behind(self, app, keys, rules):
        """The application behind the plain middleware, with rules from elsewhere."""
        raise NotImplementedError

    def change_method(self, app, method):
        """Put something into an application, behind the guard that comes, which changes every method to this one."""
        raise NotImplementedError

    def ask(self, app, method, path, headers):
        """Ask an application that was not started before; gives status, header fields and text."""
        raise NotImplementedError

    @pytest.fixture
    def keys(self):
        return Keys("datasets:read", "datasets:write", "jobs:read")

    @pytest.fixture
    def reads(self):
        return self.adapter.requires("datasets:read")

    def statuses(self, app, paths, headers):
        return [self.ask(app, "GET", path, headers)[0] for path in paths]

    def test_with_faults_every_request_is_refused_and_they_are_said_once(self, keys, caplog):
        app = self.application(get("/a"), get("/open", self.adapter.public()))
        self.adapter.protect(app, keys, applied=False)
        answers = [self.ask(app, "GET", path, keys.headers("datasets:read")) for path in ("/a", "/open", "/none")]
        assert [(503, "unavailable")] * 3 == [(status, fields["scopekey-code"]) for status, fields, _ in answers]
        assert 1 == caplog.text.count("GET /a ")

    def test_permissions_that_nobody_can_hold_refuse_every_request_and_the_nearest_is_named(self, keys, caplog):
        app = self.application(get("/a", self.adapter.requires("dataset:read")))
        self.adapter.protect(app, keys, applied=False)
        assert 503 == self.ask(app, "GET", "/a", {})[0]
        assert "did you mean 'datasets:read'" in caplog.text

    def test_permissions_are_looked_up_where_there_is_a_catalog(self):
        levels = ("read", "write")
        catalog = Catalog("c", (Resource("tokens", "Tokens", "Core", levels),), own={"keys": "tokens"})
        aliased = self.application(get("/a", self.adapter.requires("scopekey_keys:write")))
        assert {"GET /a": "tokens:write"} == table(self.adapter.rules_of(aliased, catalog))
        with pytest.raises(RulesError, match="jobs"):
            self.adapter.rules_of(self.application(get("/a", self.adapter.requires("jobs:read"))), catalog)

    def test_a_guarded_application_knows_its_own_arguments(self, keys, reads):
        app = self.application(get("/a", reads))
        assert not self.adapter.rules_of(app).cors_preflight
        self.adapter.protect(app, keys, cors_preflight=True)
        assert self.adapter.rules_of(app).cors_preflight

    @pytest.mark.parametrize("applied", [True, False])
    def test_rules_that_are_not_the_applied_ones_are_warned_about(self, keys, applied, reads, caplog):
        def begun():
            caplog.clear()
            app = self.application(get("/a", reads))
            self.adapter.protect(app, keys, applied=applied)
            with caplog.at_level(logging.WARNING, "scopekey"):
                self.statuses(app, ["/a", "/a"], {})
            return app, caplog.text

        app, said = begun()
        assert int(applied) == said.count("not the applied ones")
        keys.apply_rules(self.adapter.rules_of(app))
        assert "not the applied ones" not in begun()[1]

    def test_without_any_guard_a_declaration_refuses_by_itself(self, reads):
        app = self.application(get("/a", reads), get("/open", self.adapter.public()))
        answers = [self.ask(app, "GET", path, {}) for path in ("/a", "/open")]
        assert [500, 500] == [status for status, _, _ in answers]
        assert "protect(app, keys)" in answers[0][2]

    def test_behind_rules_from_elsewhere_a_declaration_must_be_held(self, keys, reads):
        elsewhere = self.adapter.rules_of(
            self.application(get("/a", reads), get("/c", reads), get("/open", self.adapter.requires()))
        )
        writes = self.adapter.requires("datasets:write")
        app = self.application(
            get("/a", reads), get("/b", reads), get("/c", reads, writes), get("/open", self.adapter.public())
        )
        guarded = self.behind(app, keys, elsewhere)
        paths = ("/a", "/b", "/c", "/open")
        assert [200, 401, 500, 200] == self.statuses(guarded, paths, keys.headers("datasets:read"))
        assert [401, 401, 401, 200] == self.statuses(guarded, paths, keys.headers("jobs:read"))

    def test_report_mode_lets_through_and_two_declarations_report_only_together(self, keys):
        trial = self.adapter.requires("datasets:write", mode="report")
        strict = self.adapter.requires("jobs:read")
        app = self.application(get("/trial", trial), get("/both", trial, strict))
        self.adapter.protect(app, keys)
        assert [200, 401] == self.statuses(app, ("/trial", "/both"), keys.headers("jobs:read"))

    def test_a_declaration_that_means_nothing_is_refused_where_it_stands(self):
        with pytest.raises(InvalidPermissionError):
            self.adapter.requires("datasets")
        with pytest.raises(ValueError, match="loud"):
            self.adapter.requires("datasets:read", mode="loud")

    def test_a_method_that_something_behind_the_guard_changes_is_not_served(self, keys, reads):
        app = self.application(get("/a", reads), Made("DELETE", "/a", (self.adapter.requires("datasets:write"),)))
        self.change_method(app, "DELETE")
        self.adapter.protect(app, keys, applied=False)
        assert 500 == self.ask(app, "GET", "/a", keys.headers("datasets:read"))[0]
        assert 200 == self.ask(app, "DELETE", "/a", keys.headers("datasets:write"))[0]


class StartedContract(RoutesContract):
    """An adapter of ASGI applications, which are started before they are asked."""

    def behind(self, app, keys, rules):
        return ScopekeyMiddleware(app, keys, rules)

    def ask(self, app, method, path, headers):
        answer = TestClient(app, raise_server_exceptions=False).request(method, path, headers=headers)
        return answer.status_code, answer.headers, answer.text

    def start(self, app):
        """Start an application, and end it again."""
        with TestClient(app):
            pass

    def test_a_table_with_faults_stops_the_start(self, keys):
        app = self.application(get("/a"))
        self.adapter.protect(app, keys)
        with pytest.raises(RulesError, match="GET /a "):
            self.start(app)

    def test_permissions_that_nobody_can_hold_stop_the_start(self, keys):
        app = self.application(get("/a", self.adapter.requires("dataset:read")))
        self.adapter.protect(app, keys)
        with pytest.raises(RulesError, match="did you mean 'datasets:read'"):
            self.start(app)

    @pytest.mark.parametrize(("expected", "applied"), [(1, True), (0, False)])
    def test_a_start_warns_once_of_rules_that_are_not_the_applied_ones(self, keys, reads, caplog, expected, applied):
        def said():
            caplog.clear()
            app = self.application(get("/a", reads))
            self.adapter.protect(app, keys, applied=applied)
            with caplog.at_level(logging.WARNING):
                self.start(app)
            return caplog.text

        assert expected == said().count("not the applied ones")
        keys.apply_rules(self.adapter.rules_of(self.application(get("/a", reads))))
        assert "" == said()
