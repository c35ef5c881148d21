"""The rules that an application's own code declares, read by the adapter of the framework it is made with.

No framework is imported that the application did not import itself.
"""

import importlib
import sys
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

from scopekey.cli.acting import CannotActError
from scopekey.core.rules import Rules
from scopekey.enforce.routes.table import RulesError


class Framework(NamedTuple):
    """A framework: the class of its applications, the module that has it, and the adapter that reads them."""

    title: str
    module: str
    name: str
    adapter: str

    def made(self, app: Any) -> bool:
        """Tell whether this is one of its applications. Nobody has one who has not loaded the module."""
        kind = getattr(sys.modules.get(self.module), self.name, None)
        return isinstance(kind, type) and isinstance(app, kind)


DJANGO = Framework("Django", "django.core.handlers.base", "BaseHandler", "scopekey.enforce.django")
FRAMEWORKS = (
    # A FastAPI application is a Starlette one, too.
    Framework("FastAPI", "fastapi", "FastAPI", "scopekey.enforce.fastapi"),
    Framework("Starlette", "starlette.applications", "Starlette", "scopekey.enforce.starlette"),
    Framework("Flask", "flask", "Flask", "scopekey.enforce.flask"),
    DJANGO,
)
SUPPORTED = "a FastAPI, Starlette or Flask app, or a Django project's WSGI or ASGI handler"


def rules_of_app(target: str) -> Rules:
    """Import `MODULE:APP` from the working folder, and read what it declares.

    For Django a `MODULE` alone may be one that sets it up. Raises CannotActError where there is nothing to
    read, and with everything that is wrong with the routes.
    """
    before = _is_set_up()
    app = _load(target)
    framework = next((each for each in FRAMEWORKS if each.made(app)), None)
    if framework is None and isinstance(app, ModuleType) and _is_set_up() and not before:
        framework = DJANGO
    if framework is None:
        kind = "a module" if isinstance(app, ModuleType) else f"of {type(app).__module__}.{type(app).__qualname__}"
        raise CannotActError(
            f"{target!r} is {kind}, and not {SUPPORTED}: name the application itself as MODULE:APP, not what is "
            "wrapped around it. For anything else, write the rules with `scopekey rules import`"
        )
    read = importlib.import_module(framework.adapter).rules_of
    try:
        # There is one Django in a process, and its settings name its routes.
        rules: Rules = read() if framework is DJANGO else read(app)
    except RulesError as error:
        raise CannotActError(str(error)) from error
    return rules


def _load(target: str) -> Any:
    name, colon, attribute = target.partition(":")
    sys.path.insert(0, str(Path.cwd()))
    try:
        module = importlib.import_module(name)
        return getattr(module, attribute) if colon else module
    except (ImportError, AttributeError, ValueError) as error:
        raise CannotActError(f"{target!r} cannot be imported as MODULE:APP, as in main:app: {error}") from error


def _is_set_up() -> bool:
    """Tell whether Django is set up in this process."""
    apps = getattr(sys.modules.get("django.apps"), "apps", None)
    return bool(getattr(apps, "ready", False))
