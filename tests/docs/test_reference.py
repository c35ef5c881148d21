"""Everything that can be set, called or answered has its heading in the reference."""

import re

from scopekey.cli.main import app
from scopekey.core.problem import PROBLEMS
from scopekey.enforce.doors.metrics import _TOLD
from scopekey.server.app import management_api
from scopekey.settings import Settings
from tests.docs.shell import ROOT
from tools.docs import GENERATORS, generated
from tools.docs_http import NoNode


def headings(page, level="##"):
    text = (ROOT / "docs" / "reference" / page).read_text(encoding="utf-8")
    return re.findall(rf"^{level} (.+)$", text, flags=re.MULTILINE)


def names_of(typer_app, prefix="scopekey"):
    own = [info.name or info.callback.__name__.rstrip("_") for info in typer_app.registered_commands]
    # A group that runs by itself, too, is a command.
    own += [""] if typer_app.registered_callback and typer_app.info.invoke_without_command else []
    below = [names_of(group.typer_instance, f"{prefix} {group.name}") for group in typer_app.registered_groups]
    return {f"{prefix} {name}".strip() for name in own} | {name for names in below for name in names}


def test_every_setting_has_its_heading():
    assert [f"SCOPEKEY_{name.upper()}" for name in Settings.model_fields] == headings("settings.md")


def test_every_setting_says_what_it_is():
    assert [] == [name for name, field in Settings.model_fields.items() if not field.description]


def test_every_command_has_its_heading():
    assert names_of(app) == set(headings("cli.md"))


def test_every_problem_code_has_its_heading():
    assert list(PROBLEMS) == headings("problems.md")


def test_every_metric_has_its_heading():
    # What /metrics tells is made from these alone.
    assert list(_TOLD) == headings("metrics.md", "###")


def test_every_call_of_the_management_api_has_its_heading():
    paths = management_api(NoNode(), close=False).openapi()["paths"]
    calls = [f"{method.upper()} {path}" for path, item in paths.items() for method in item]
    assert [*calls, "Probes"] == headings("http-api.md")


def test_generated_pages_are_the_same_each_time():
    assert len(GENERATORS) == len(generated())
    assert generated() == generated()
