"""A catalog as a module of TypeScript: with it, a permission that the catalog does not have does not compile."""

import json

from scopekey.core.catalog import Catalog

_HEAD = """// The permissions of the catalog {name}, written by `scopekey catalog typescript`.
// Write it anew when the catalog changes.

import "scopekey";

/** Every permission, and what people call it. */
export const PERMISSIONS = {{
"""
_PRESETS = """} as const;

/** Every preset: permissions for a purpose. */
export const PRESETS = {
"""
_TAIL = """} as const;

/** A permission of this catalog. */
export type CatalogPermission = keyof typeof PERMISSIONS;

/** A preset of this catalog. */
export type CatalogPreset = keyof typeof PRESETS;

declare module "scopekey" {
  interface Register {
    permission: CatalogPermission;
  }
}
"""


def typescript(catalog: Catalog) -> str:
    """Write the module. It narrows `Permission` of the package `scopekey` wherever it is part of a program."""
    permissions = (_row(name, _text(catalog.title(found))) for name, found in catalog.permissions.items())
    presets = (_row(preset.name, f"[{', '.join(map(_text, preset.permissions))}]") for preset in catalog.presets)
    return _HEAD.format(name=_text(catalog.name)) + "".join(permissions) + _PRESETS + "".join(presets) + _TAIL


def _row(name: str, value: str) -> str:
    return f"  {_text(name)}: {value},\n"


def _text(value: object) -> str:
    """A string of JavaScript: JSON's escapes are its own, and nothing beyond ASCII can end a line or a comment."""
    return json.dumps(str(value))
