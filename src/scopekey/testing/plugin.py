"""The pytest plugin: `scopekey_keys`, `allow`, and the decisions of a test that failed.

The catalog is the project's `catalog.toml`, or what `--scopekey-catalog` or the ini setting `scopekey_catalog` names.
Rules are named in the same way, and need not be there. A `conftest.py` may define `scopekey_catalog` and
`scopekey_rules` itself.
"""

from collections.abc import Callable, Generator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from scopekey.core.catalog import Catalog
    from scopekey.core.rules import Rules
    from scopekey.testing.keys import Keys

CATALOG, RULES = "scopekey_catalog", "scopekey_rules"
_PROJECTS_OWN = "catalog.toml"
_UNKNOWN = (
    "scopekey: there is no catalog to make keys from. Name it in pytest's configuration, as in "
    'scopekey_catalog = "catalog.toml", or define a fixture scopekey_rules that gives the rules of the application.'
)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Where catalog and rules are found."""
    group = parser.getgroup("scopekey")
    for name, about in ((CATALOG, "catalog, whose permissions keys may hold"), (RULES, "rules, which are applied")):
        group.addoption(f"--{name.replace('_', '-')}", metavar="FILE", help=f"the {about} in tests")
        parser.addini(name, f"the file of the {about} in tests")


@pytest.fixture(scope="session")
def scopekey_catalog(pytestconfig: pytest.Config) -> "Catalog | None":
    """The catalog of the project; None where none is found."""
    from scopekey.wire.catalog_file import read_catalog

    file = _file(pytestconfig, CATALOG)
    if file is None:
        file = pytestconfig.rootpath / _PROJECTS_OWN
        if not file.is_file():
            return None
    return read_catalog(file.read_text(encoding="utf-8"), str(file))


@pytest.fixture(scope="session")
def scopekey_rules(pytestconfig: pytest.Config, scopekey_catalog: "Catalog | None") -> "Rules | None":
    """The rules that are applied; None where none are named."""
    from scopekey.wire.rules_file import read_rules

    file = _file(pytestconfig, RULES)
    return None if file is None else read_rules(file.read_text(encoding="utf-8"), str(file), scopekey_catalog)


@pytest.fixture
def scopekey_keys(scopekey_catalog: "Catalog | None", scopekey_rules: "Rules | None") -> "Keys":
    """Keys for one test, to guard the application with."""
    from scopekey.testing.keys import Keys

    if scopekey_catalog is None and scopekey_rules is None:
        pytest.fail(_UNKNOWN, pytrace=False)
    return Keys(catalog=scopekey_catalog, rules=scopekey_rules)


@pytest.fixture
def allow(scopekey_keys: "Keys") -> "Callable[..., dict[str, str]]":
    """Gives the header fields of a new key that holds exactly what is named: `allow("datasets:read")`."""
    return scopekey_keys.headers


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: "pytest.CallInfo[None]"
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Show what was decided in a test that failed."""
    report = yield
    keys: Keys | None = getattr(item, "funcargs", {}).get("scopekey_keys")
    if keys is not None and call.when == "call" and report.failed and keys.events:
        report.sections.append(("Scopekey decisions", "\n".join(map(str, keys.decisions))))
    return report


def _file(config: pytest.Config, name: str) -> Path | None:
    """A file as it is named: on the command line from here, in a configuration from beside it."""
    given = config.getoption(name)
    if given:
        return config.invocation_params.dir / str(given)
    named = config.getini(name)
    return (config.inipath.parent if config.inipath else config.rootpath) / str(named) if named else None
