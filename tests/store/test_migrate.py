from pathlib import Path

from alembic.script import ScriptDirectory

from scopekey.store import migrate


def test_the_known_versions_are_those_of_the_migrations_in_one_line():
    folder = Path(migrate.__file__).parent / "migrations"
    scripts = ScriptDirectory(str(folder))
    found = [script.revision for script in scripts.walk_revisions()]
    assert list(migrate.REVISIONS) == found[::-1]
