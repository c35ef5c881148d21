"""The permissions of the demo's catalog: an example of the reference that every catalog gives."""

from itertools import groupby

from scopekey.core.catalog import Catalog, Resource
from scopekey.demo.platform import CATALOG
from scopekey.wire.catalog_file import read_catalog
from tools.docs_text import page, table

ABOUT = """A platform's permissions are data: its catalog says which resources there are, how they are grouped, and
which access levels each one offers. This is the catalog of the demo platform. `read` is to view and list, `write`
to create, update and delete; neither implies the other, and a cell that is empty is a permission that does not
exist.

A platform of your own has a catalog of your own: `scopekey catalog show` prints what is applied."""

OWN = """These guard the management API and are in every catalog. Only keys of the operator may hold
`scopekey_organizations`, `scopekey_changes` and `scopekey_journal`. Of `scopekey_audit`, `scopekey_usage`,
`scopekey_reviews`, `scopekey_webhooks`, `scopekey_changes` and `scopekey_journal` nothing in this release is
guarded yet."""


def pages() -> dict[str, str]:
    """The page: the resources by group, Scopekey's own, the presets."""
    catalog = read_catalog(CATALOG.read_text("utf-8"), "catalog.toml")
    groups = [_group(catalog, name, list(found)) for name, found in groupby(catalog.resources, lambda r: r.group)]
    text = page(
        "Permissions of the demo platform",
        "`src/scopekey/demo/catalog.toml`",
        ABOUT,
        *groups,
        _own(catalog),
        _presets(catalog),
    )
    return {"docs/reference/permissions.md": text}


def _group(catalog: Catalog, name: str, resources: list[Resource]) -> str:
    rows = [(r.title, *(_offered(r, level) for level in catalog.levels), r.covers) for r in resources]
    return f"## {name}\n\n" + table(("resource", *map(str.title, catalog.levels), "covers"), rows)


def _offered(resource: Resource, level: str) -> str:
    return f"`{resource.name}:{level}`" if level in resource.levels else ""


def _own(catalog: Catalog) -> str:
    own = [name for name in catalog.permissions if name.startswith("scopekey_")]
    aliases = [f"`scopekey_{own}` goes by `{alias}` in this catalog." for own, alias in catalog.own.items()]
    return "## Scopekey's own\n\n" + "\n\n".join((OWN, *aliases, ", ".join(f"`{name}`" for name in own) + "."))


def _presets(catalog: Catalog) -> str:
    rows = [(p.title, f"`{p.name}`", ", ".join(f"`{name}`" for name in p.permissions)) for p in catalog.presets]
    return "## Presets\n\nA preset is resolved when a key is made.\n\n" + table(("preset", "name", "permissions"), rows)
