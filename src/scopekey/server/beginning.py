"""The beginning of a deployment: the home folder, its secrets, the operator and the first key."""

import secrets
import shutil
from pathlib import Path

from scopekey.audit.signing import signing_key_id
from scopekey.authority.initialize import AlreadyInitialisedError, Beginning, initialize
from scopekey.core.catalog import Catalog
from scopekey.core.rules import Rules
from scopekey.server.node import Node, StartRefusedError
from scopekey.settings import Settings, write_private
from scopekey.wire.catalog_file import read_catalog
from scopekey.wire.rules_file import read_rules

NO_CATALOG = Catalog("platform", ())
"""What a deployment begins with where no catalog is given: Scopekey's own permissions alone."""


def begin(settings: Settings, *, operator: str = "Operator") -> str:
    """Initialise a deployment and give the first key's printed form, which exists nowhere else.

    Nothing is left behind where it fails. Raises StartRefusedError, FileError, MissingSecretError.
    """
    catalog = _catalog(settings)
    rules = _rules(settings, catalog)
    if (settings.home / "scopekey.db").exists():
        raise StartRefusedError(
            f"{settings.home} is a home folder already; use it, or set SCOPEKEY_HOME to another one"
        )
    new = not settings.home.exists()
    settings.home.mkdir(mode=0o700, parents=True, exist_ok=True)
    made = _write_secrets(settings)
    try:
        return _fill(settings, Beginning(catalog, rules, signing_key_id(settings.signing_seed()), operator))
    except BaseException as error:
        _remove(made)
        if new:
            shutil.rmtree(settings.home, ignore_errors=True)
        if isinstance(error, AlreadyInitialisedError):
            raise StartRefusedError(str(error)) from error
        if settings.database_url is None:
            _remove(list(settings.home.glob("scopekey.db*")))
        raise


def _fill(settings: Settings, beginning: Beginning) -> str:
    node = Node(settings)
    try:
        return initialize(node.authority, beginning)
    finally:
        node.close()


def _catalog(settings: Settings) -> Catalog:
    if settings.catalog is None:
        return NO_CATALOG
    return read_catalog(settings.catalog.read_text("utf-8"), str(settings.catalog))


def _rules(settings: Settings, catalog: Catalog) -> Rules:
    if settings.rules is None:
        return Rules()
    return read_rules(settings.rules.read_text("utf-8"), str(settings.rules), catalog)


def _write_secrets(settings: Settings) -> list[Path]:
    """Make the pepper and the signing key where they are neither set nor there; give the files made."""
    made = []
    for name, given in (("pepper", settings.pepper), ("signing_key", settings.signing_key)):
        file = settings.home / name
        if given is None and not file.exists():
            write_private(file, secrets.token_hex(32) + "\n")
            made.append(file)
    return made


def _remove(files: list[Path]) -> None:
    for file in files:
        file.unlink(missing_ok=True)
