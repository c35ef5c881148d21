"""The page of public Python names: signatures as their source has them, and their docstrings."""

import ast
import importlib
import inspect
from collections.abc import Iterator

from tools.docs_text import first_paragraph, page

MODULES = {
    "scopekey": {
        "Scopekey": "scopekey.opening",
        "Allowed": "scopekey.core.decision",
        "Denied": "scopekey.core.decision",
        "DenialReason": "scopekey.core.decision",
    },
    "scopekey.enforce.asgi": {"ScopekeyMiddleware": "scopekey.enforce.asgi"},
    "scopekey.enforce.fastapi": {
        "requires": "scopekey.enforce.fastapi.declare",
        "public": "scopekey.enforce.fastapi.declare",
        "protect": "scopekey.enforce.fastapi.protect",
        "rules_of": "scopekey.enforce.fastapi.protect",
        "RulesError": "scopekey.enforce.routes.table",
    },
    "scopekey.enforce.starlette": {
        "requires": "scopekey.enforce.starlette.declare",
        "public": "scopekey.enforce.starlette.declare",
        "protect": "scopekey.enforce.starlette.protect",
        "rules_of": "scopekey.enforce.starlette.protect",
        "RulesError": "scopekey.enforce.routes.table",
    },
    "scopekey.enforce.wsgi": {"ScopekeyWSGIMiddleware": "scopekey.enforce.wsgi"},
    "scopekey.enforce.flask": {
        "requires": "scopekey.enforce.flask.declare",
        "public": "scopekey.enforce.flask.declare",
        "protect": "scopekey.enforce.flask.protect",
        "Protection": "scopekey.enforce.flask.protect",
        "rules_of": "scopekey.enforce.flask.protect",
        "current_event": "scopekey.enforce.flask.declare",
        "RulesError": "scopekey.enforce.routes.table",
    },
    "scopekey.enforce.django": {
        "requires": "scopekey.enforce.django.declare",
        "public": "scopekey.enforce.django.declare",
        "ScopekeyMiddleware": "scopekey.enforce.django.middleware",
        "rules_of": "scopekey.enforce.django.rules",
        "RulesError": "scopekey.enforce.routes.table",
    },
    "scopekey.enforce.django.testing": {
        "Client": "scopekey.enforce.django.testing",
        "AsyncClient": "scopekey.enforce.django.testing",
    },
    "scopekey.testing": {
        "Keys": "scopekey.testing.keys",
        "Decided": "scopekey.testing.decided",
        **dict.fromkeys(
            (
                "assert_allowed",
                "assert_refused",
                "assert_needs",
                "used_permissions",
                "assert_requires",
                "assert_public",
            ),
            "scopekey.testing.assertions",
        ),
    },
    "scopekey.client": {
        "ScopekeyClient": "scopekey.client.client",
        "AsyncScopekeyClient": "scopekey.client.async_client",
        "ClientOptions": "scopekey.client.session",
        "KeyExpiry": "scopekey.client.expiry",
        "Paged": "scopekey.client.paging",
        "AsyncPaged": "scopekey.client.paging",
        **dict.fromkeys(
            (
                "ScopekeyError",
                "InvalidKeyError",
                "MissingPermissionError",
                "UnlistedOperationError",
                "UnreadableTargetError",
                "RequestRefusedError",
                "RateLimitedError",
                "UnavailableError",
                "ApiError",
                "UnreachableError",
                "ConfigurationError",
            ),
            "scopekey.client.errors",
        ),
    },
    "scopekey.wire.openapi": {"rules_from_openapi": "scopekey.wire.openapi"},
    "scopekey.wire.rules_file": {"read_rules": "scopekey.wire.rules_file", "write_rules": "scopekey.wire.rules_file"},
    "scopekey.wire.catalog_file": {"read_catalog": "scopekey.wire.catalog_file"},
}
"""What a program may rely on: each public name by the module it is imported from, and the module it is written in."""

ABOUT = """What a program may rely on; everything else may move between releases. Times are milliseconds since the
epoch. `Decision` is `Allowed | Denied`: a `Denied` is false, an `Allowed` is true."""

EXAMPLE = "<!-- not run: an excerpt; the guides run whole programs -->\n```python"

Function = ast.FunctionDef | ast.AsyncFunctionDef


def pages() -> dict[str, str]:
    """The page: a heading for each module and each name of it."""
    parts = [part for module, names in MODULES.items() for part in _module(module, names)]
    return {"docs/reference/python.md": page("Python", "the docstrings of `src/scopekey`", ABOUT, *parts)}


def _module(module: str, names: dict[str, str]) -> Iterator[str]:
    about = inspect.getdoc(importlib.import_module(module)) or ""
    yield f"## {module}\n\n{about.replace('```python', EXAMPLE)}"
    for name, home in names.items():
        node = _definition(home, name)
        yield f"### {module}.{name}\n\n```text\n{_signature(node)}\n```\n\n{ast.get_docstring(node)}"
        yield "\n".join(_members(node))


def _definition(home: str, name: str) -> ast.ClassDef | Function:
    tree = ast.parse(inspect.getsource(importlib.import_module(home)))
    for node in tree.body:
        if isinstance(node, ast.ClassDef | Function) and node.name == name:
            return node
    raise LookupError(f"{home} does not define {name}")


def _signature(node: ast.ClassDef | Function) -> str:
    if isinstance(node, Function):
        return node.name + _parameters(node)
    made = next((n for n in node.body if isinstance(n, Function) and n.name == "__init__"), None)
    fields = [ast.unparse(n) for n in node.body if isinstance(n, ast.AnnAssign)]
    values = [str(n.value.value) for n in node.body if isinstance(n, ast.Assign) and isinstance(n.value, ast.Constant)]
    if made is not None:
        return node.name + _parameters(made).partition(" -> ")[0]
    return f"{node.name}({', '.join(fields)})" if fields else ", ".join(values) or f"class {node.name}"


def _parameters(function: Function) -> str:
    arguments = function.args
    if arguments.args and arguments.args[0].arg in {"self", "cls"}:
        del arguments.args[0]
    returned = f" -> {ast.unparse(function.returns)}" if function.returns else ""
    return f"({ast.unparse(arguments)}){returned}"


def _members(node: ast.ClassDef | Function) -> Iterator[str]:
    """The public methods and properties of a class."""
    if isinstance(node, Function):
        return
    for member in node.body:
        if isinstance(member, Function) and not member.name.startswith("_"):
            held = any(isinstance(d, ast.Name) and d.id == "property" for d in member.decorator_list)
            shown = member.name if held else member.name + _parameters(member)
            yield f"- `{shown}`: {first_paragraph(ast.get_docstring(member))}"
