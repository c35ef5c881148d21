"""The permissions reference of the demo: exactly what `scopekey rules reference` prints for its rules."""

from scopekey.core.grant import Register
from scopekey.demo.platform import CATALOG, create_platform
from scopekey.enforce.fastapi import rules_of
from scopekey.insight.reference import reference
from scopekey.insight.reference_text import markdown
from scopekey.testing import Keys
from scopekey.wire.catalog_file import read_catalog


def pages() -> dict[str, str]:
    """The page, from the demo's catalog and the routes of its platform."""
    catalog = read_catalog(CATALOG.read_text("utf-8"), CATALOG.name)
    platform = create_platform(Keys(catalog=catalog))
    built = reference(Register.first(catalog), rules_of(platform, catalog), own=False)
    platform.state.jobs.close()
    platform.state.engine.close()
    return {"docs/reference/permissions.md": markdown(built)}
