"""The pytest plugin, in projects that use it and in one that does not."""

import pytest

# What the runs below import is in this process already: a run of its own would otherwise load it anew each time.
import scopekey.testing.assertions
import scopekey.wire.catalog_file
import scopekey.wire.rules_file  # noqa: F401

CATALOG = """
name = "shop"
[[resource]]
name = "datasets"
title = "Datasets"
"""
RULES = """
[[rule]]
operation = "GET /datasets/{id}"
requires = "datasets:read"
object = "id"
"""
ASKING = """
def ask(keys, headers, method="GET"):
    printed = headers["Authorization"].removeprefix("Bearer ")
    keys.verifier.applied.request(method, b"/datasets/7", printed, address=None, request_id="r")
"""


@pytest.fixture
def project(pytester):
    """A project with a catalog at its root and rules in a folder."""
    (pytester.path / "catalog.toml").write_text(CATALOG)
    (pytester.path / "config").mkdir()
    (pytester.path / "config" / "rules.toml").write_text(RULES)
    pytester.makeini("[pytest]\nscopekey_rules = config/rules.toml\n")
    (pytester.path / "asking.py").write_text(ASKING)
    pytester.syspathinsert()
    return pytester


def test_keys_come_from_the_projects_catalog_and_allow_gives_headers(project, run):
    project.makepyfile("""
        from asking import ask
        from scopekey.testing import assert_allowed, assert_refused

        def test_reads(scopekey_keys, allow):
            ask(scopekey_keys, allow("datasets:read"))
            assert_allowed(scopekey_keys, "GET /datasets/{id}", used="datasets:read")

        def test_each_test_has_keys_of_its_own(scopekey_keys, allow):
            assert [] == scopekey_keys.events
            ask(scopekey_keys, allow("datasets:write", environment="test"))
            assert_refused(scopekey_keys, missing="datasets:read")
    """)
    run().assert_outcomes(passed=2)


def test_a_test_that_fails_shows_what_was_decided_in_it(project, run):
    project.makepyfile("""
        from asking import ask

        def test_it(scopekey_keys, allow):
            ask(scopekey_keys, allow("datasets:write"))
            assert 0

        def test_without_keys():
            assert 0
    """)
    result = run()
    result.assert_outcomes(failed=2)
    line = "GET /datasets/{id} (7): refused, missing datasets:read; key_000000000001 holds *:write"
    result.stdout.fnmatch_lines(["*Scopekey decisions*", line.replace("[", "[[]")])
    assert 1 == result.stdout.str().count("Scopekey decisions")


def test_an_assertion_that_fails_ends_at_the_line_of_the_test(project, run):
    project.makepyfile("""
        from scopekey.testing import assert_allowed

        def test_it(scopekey_keys):
            assert_allowed(scopekey_keys)
    """)
    shown = run().stdout.str()
    assert "nothing was decided with these keys" in shown
    assert "assertions.py" not in shown


def test_a_catalog_is_named_on_the_command_line_from_here(project, run):
    (project.path / "other.toml").write_text(CATALOG.replace("datasets", "jobs"))
    project.makeini("[pytest]\n")
    project.makepyfile("""
        def test_it(allow):
            allow("jobs:read")
    """)
    run("--scopekey-catalog", "other.toml").assert_outcomes(passed=1)
    run().assert_outcomes(failed=1)


def test_a_catalog_is_named_in_the_configuration_from_beside_it(project, run):
    (project.path / "config" / "catalog.toml").write_text(CATALOG.replace("datasets", "jobs"))
    project.makeini("[pytest]\nscopekey_catalog = config/catalog.toml\n")
    project.makepyfile("""
        def test_it(allow):
            allow("jobs:read")
    """)
    run().assert_outcomes(passed=1)


def test_rules_of_the_application_are_enough(pytester, run):
    pytester.makeconftest("""
        import pytest
        from scopekey.wire.rules_file import read_rules

        @pytest.fixture(scope="session")
        def scopekey_rules():
            return read_rules('[[rule]]\\noperation = "GET /jobs"\\nrequires = "jobs:read"', "rules.toml")
    """)
    pytester.makepyfile("""
        from scopekey.testing import assert_requires

        def test_it(allow, scopekey_keys):
            allow("jobs:read")
            assert_requires(scopekey_keys, "GET /jobs", "jobs:read")
    """)
    run().assert_outcomes(passed=1)


def test_without_a_catalog_and_rules_a_test_is_told_what_to_do(pytester, run):
    pytester.makepyfile("def test_it(allow): pass")
    result = run()
    result.assert_outcomes(errors=1)
    assert 'scopekey_catalog = "catalog.toml"' in result.stdout.str()


def test_a_run_that_does_not_use_it_loads_nothing_of_it(pytester, run):
    pytester.makepyfile("""
        import sys
        import unittest

        class TestOld(unittest.TestCase):
            def test_it(self):
                ours = {name for name in sys.modules if name.split(".")[0] == "scopekey"}
                assert {"scopekey", "scopekey.testing", "scopekey.testing.plugin"} == ours
                assert not {"msgspec", "pydantic", "lmdb", "httpx"} & set(sys.modules)

        def test_that():
            pass
    """)
    # Other plugins of this environment import such packages by themselves.
    run("-p", "no:schemathesis", "-p", "no:hypothesispytest", how=pytester.runpytest_subprocess).assert_outcomes(
        passed=2
    )


def test_it_works_in_the_processes_of_xdist(project, run):
    pytest.importorskip("xdist")
    project.makepyfile("""
        import pytest

        @pytest.mark.parametrize("n", range(4))
        def test_it(allow, n):
            allow("datasets:read")
            assert n
    """)
    run("-n", "2", how=project.runpytest_subprocess).assert_outcomes(passed=3, failed=1)
