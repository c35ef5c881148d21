"""`scopekey rules from-app`: whichever framework an application is made with, its own adapter reads it."""

import subprocess
import sys

import pytest

from scopekey.cli.acting import CannotActError
from scopekey.cli.app_rules import FRAMEWORKS, rules_of_app
from scopekey.wire.rules_file import read_rules

FASTAPI = """
from fastapi import FastAPI
from scopekey.enforce.fastapi import requires
app = FastAPI()
@app.get("/datasets/{dataset_id}", dependencies=[requires("datasets:read")])
def show(dataset_id: int): ...
"""
STARLETTE = """
from starlette.applications import Starlette
from starlette.routing import Route
from scopekey.enforce.starlette import requires
@requires("datasets:read")
def show(request): ...
app = Starlette(routes=[Route("/datasets/{dataset_id}", show)])
"""
FLASK = """
from flask import Flask
from scopekey.enforce.flask import requires
app = Flask("app", static_folder=None)
@app.get("/datasets/<dataset_id>")
@requires("datasets:read")
def show(dataset_id): ...
"""
DJANGO = """
from django.conf import settings
settings.configure(ROOT_URLCONF=__name__, SECRET_KEY="only for this test")
from django.core.asgi import get_asgi_application
from django.core.wsgi import get_wsgi_application
from django.urls import path
from scopekey.enforce.django import requires
@requires("datasets:read", methods=["GET"])
def show(request, dataset_id): ...
urlpatterns = [path("datasets/<str:dataset_id>", show)]
app, asgi = get_wsgi_application(), get_asgi_application()
"""


@pytest.fixture
def program(folder, monkeypatch):
    """Write a module of that text, and name it; it is forgotten afterwards."""
    monkeypatch.setattr(sys, "path", list(sys.path))
    written = []

    def program(text):
        written.append(f"program_{len(written)}_of_{folder.name}")
        (folder / f"{written[-1]}.py").write_text(text)
        return written[-1]

    yield program
    for name in written:
        sys.modules.pop(name, None)


@pytest.mark.parametrize("text", [FASTAPI, STARLETTE, FLASK], ids=["fastapi", "starlette", "flask"])
def test_the_rules_of_an_app_are_written(command, folder, program, text):
    ended = command("rules", "from-app", f"{program(text)}:app")
    assert (0, "1 rules in rules.toml\n") == (ended.code, ended.err)
    (rule,) = read_rules((folder / "rules.toml").read_text(), "rules.toml").rules
    assert ("GET /datasets/{dataset_id}", "datasets:read") == (str(rule.operation), str(rule.requirement))


@pytest.mark.parametrize("named", [":app", ":asgi", ":settings", ""])
def test_a_django_project_is_named_by_its_handler_or_by_a_module_that_sets_it_up(folder, program, named):
    # In a process of its own: there is one Django in each.
    words = (sys.executable, "-m", "scopekey", "rules", "from-app", program(DJANGO) + named)
    ended = subprocess.run(words, capture_output=True, text=True, check=False)
    if named == ":settings":
        assert (2, True) == (ended.returncode, "LazySettings, and not" in ended.stderr)
    else:
        assert (0, "1 rules in rules.toml\n") == (ended.returncode, ended.stderr)
        assert 'operation = "GET /datasets/{dataset_id}"' in (folder / "rules.toml").read_text()


def test_everything_wrong_with_the_routes_is_said(command, folder, program):
    bare = STARLETTE.replace('@requires("datasets:read")', "") + "app.add_route('/other', show)\n"
    ended = command("rules", "from-app", f"{program(bare)}:app")
    assert 2 == ended.code
    assert [1, 1] == [ended.err.count(path) for path in ("GET /datasets/{dataset_id} ", "GET /other ")]
    assert not (folder / "rules.toml").exists()


@pytest.mark.parametrize(
    ("target", "expected"),
    [("guarded", "ScopekeyMiddleware"), ("factory", "builtins.function"), ("words", "builtins.dict")],
)
def test_what_is_no_application_is_told_what_would_be(command, folder, program, target, expected):
    name = program(
        STARLETTE + "from scopekey.enforce.asgi import ScopekeyMiddleware\nguarded = ScopekeyMiddleware(app, None)\n"
        "def factory(): return app\nwords = {}\n"
    )
    ended = command("rules", "from-app", f"{name}:{target}")
    assert 2 == ended.code
    assert all(word in ended.err for word in (expected, "FastAPI, Starlette or Flask app", "Django project"))
    assert not (folder / "rules.toml").exists()


def test_a_module_alone_is_no_application_unless_it_sets_up_django(program):
    with pytest.raises(CannotActError, match="is a module, and not"):
        rules_of_app(program(STARLETTE))


def test_a_framework_that_the_application_did_not_import_is_not_imported(program, monkeypatch):
    for framework in FRAMEWORKS[2:]:
        monkeypatch.delitem(sys.modules, framework.module, raising=False)
    rules_of_app(f"{program(STARLETTE)}:app")
    with pytest.raises(CannotActError):
        rules_of_app(f"{program('app = object()')}:app")
    assert [] == [framework.title for framework in FRAMEWORKS[2:] if framework.module in sys.modules]
