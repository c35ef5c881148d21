"""The operations of an OpenAPI 3.0 or 3.1 document, each with its tags and what it says about access.

Reads what stands there and decides nothing: which permission an operation needs is proposed in
``openapi``. Whatever looks like an operation and cannot be read is named, never dropped.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import unquote

import msgspec

METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")
_VERSION = re.compile(r"3\.[01](\..*)?")
_INDEX = re.compile(r"[0-9]{1,9}")
_BESIDE_METHODS = frozenset({"$ref", "summary", "description", "servers", "parameters"})
ABSENT = "`security` is absent, and the document sets no default"
_MAX_REFERENCES = 100
_MISSING = object()


class OpenApiError(ValueError):
    """The document cannot be read as OpenAPI 3.0 or 3.1; `faults` says each why and what to do."""

    def __init__(self, *faults: str) -> None:
        self.faults = faults
        super().__init__("; ".join(faults))


class Security(msgspec.Struct, frozen=True):
    """Who may call an operation (OpenAPI 3.1, "Security Requirement Object").

    `alternatives` are the scopes of each way in, those of schemes needed together joined; `said` is
    how the document puts it; `optional` tells that a key may be shown but need not.
    """

    public: bool
    said: str
    alternatives: tuple[tuple[str, ...], ...] = ()
    optional: bool = False


class DocumentedOperation(msgspec.Struct, frozen=True):
    """One operation as the document has it. `stated` is its `x-required-permissions`, raw; None where absent."""

    method: str
    path: str
    tags: tuple[str, ...]
    security: Security
    stated: Any = None

    def __str__(self) -> str:
        return f"{self.method} {self.path}"


class LeftOut(msgspec.Struct, frozen=True):
    """Something in the document that got no rule, and why. What has no rule is refused."""

    operation: str
    reason: str


def read_document(document: object) -> tuple[tuple[DocumentedOperation, ...], tuple[LeftOut, ...]]:
    """List the operations in the document's order, and what could not be read as one. Raises OpenApiError."""
    root = _root(document)
    default = _security(root.get("security", _MISSING), None)
    read: list[DocumentedOperation] = []
    left_out: list[LeftOut] = []
    faults: list[str] = []
    for path, item in root.get("paths", {}).items():
        if str(path).startswith("x-"):
            continue
        try:
            for found in _path_item(root, str(path), item, default):
                if isinstance(found, LeftOut):
                    left_out.append(found)
                else:
                    read.append(found)
        except OpenApiError as error:
            faults += error.faults
    if faults:
        raise OpenApiError(*faults)
    return tuple(read), tuple(left_out)


def _root(document: object) -> Mapping[str, Any]:
    if not isinstance(document, Mapping):
        raise OpenApiError("this is not an OpenAPI document: it must be a mapping with `openapi` and `paths`")
    version = document.get("openapi")
    if not _VERSION.fullmatch(str(version)):
        found = f"openapi {version}" if version else f"swagger {document.get('swagger', 'of no version')}"
        raise OpenApiError(f"the document is {found}; convert it to OpenAPI 3.0 or 3.1")
    if not isinstance(document.get("paths", {}), Mapping):
        raise OpenApiError("`paths` is not a mapping of paths to path items; correct the document")
    return document


def _path_item(
    root: Mapping[str, Any], path: str, item: object, default: Security
) -> Iterator[DocumentedOperation | LeftOut]:
    merged, hidden = _resolved(root, item, path, ())
    if merged is None:
        yield LeftOut(path, "its path item is not a mapping")
        return
    yield from (
        LeftOut(f"{method.upper()} {path}", "it is described twice, beside a $ref and behind it; the first one counts")
        for method in hidden
    )
    for name, value in merged.items():
        if name in METHODS:
            yield _operation(root, f"{name.upper()} {path}", value, default)
        elif name not in _BESIDE_METHODS and not str(name).startswith("x-"):
            yield LeftOut(f"{name} {path}", f"{name!r} is no method of OpenAPI 3.0 or 3.1 (they are in lower case)")


def _operation(root: Mapping[str, Any], text: str, value: object, default: Security) -> DocumentedOperation | LeftOut:
    method, _, path = text.partition(" ")
    operation, _ = _resolved(root, value, text, ())
    if operation is None:
        return LeftOut(text, "its description is not a mapping")
    tags = operation.get("tags")
    names = tuple(tag for tag in tags if isinstance(tag, str)) if isinstance(tags, list) else ()
    stated = operation.get("x-required-permissions")
    if stated is None and "x-required-permissions" in operation:
        stated = {}  # written and empty: malformed, which is not the same as absent
    return DocumentedOperation(method, path, names, _security(operation.get("security", _MISSING), default), stated)


def _resolved(
    root: Mapping[str, Any], value: object, where: str, seen: tuple[str, ...]
) -> tuple[Mapping[str, Any] | None, tuple[str, ...]]:
    """Follow `$ref`; what stands beside it counts before what stands behind it. Also gives the methods so hidden."""
    if not isinstance(value, Mapping):
        return None, ()
    reference = value.get("$ref", _MISSING)
    if reference is _MISSING:
        return value, ()
    if reference in seen or len(seen) == _MAX_REFERENCES:
        raise OpenApiError(f"{where}: the $ref {reference!r} leads in a circle; point it at a description")
    behind, hidden = _resolved(root, _pointed(root, reference, where), where, (*seen, str(reference)))
    beside = {name: part for name, part in value.items() if name != "$ref"}
    if behind is None:
        raise OpenApiError(f"{where}: the $ref {reference!r} does not lead to a description; correct it")
    return {**behind, **beside}, (*hidden, *(name for name in METHODS if name in behind and name in beside))


def _pointed(root: Mapping[str, Any], reference: object, where: str) -> object:
    """Follow a JSON pointer (RFC 6901) in a URI fragment."""
    if not isinstance(reference, str) or not reference.startswith("#/"):
        raise OpenApiError(f"{where}: the $ref {reference!r} leads outside the document; bundle it into one file")
    found: object = root
    for part in unquote(reference[2:]).split("/"):
        name = part.replace("~1", "/").replace("~0", "~")
        if isinstance(found, Mapping) and name in found:
            found = found[name]
        elif isinstance(found, list) and _INDEX.fullmatch(name) and int(name) < len(found):
            found = found[int(name)]
        else:
            raise OpenApiError(f"{where}: the $ref {reference!r} leads nowhere; correct it")
    return found


def _security(value: object, default: Security | None) -> Security:
    if value is _MISSING:
        if default is None:
            return Security(public=True, said=ABSENT)
        if default.said == ABSENT:
            return default
        return msgspec.structs.replace(default, said=f"{default.said}, inherited from the document")
    if not isinstance(value, list) or not all(_is_requirement(item) for item in value):
        return Security(public=False, said="`security` is not a list of requirements, and is taken as: a key is needed")
    if not value:
        return Security(public=True, said="`security` is []")
    alternatives = tuple(tuple(dict.fromkeys(scope for scopes in item.values() for scope in scopes)) for item in value)
    if {} in value:
        alone = all(item == {} for item in value)
        said = "`security` is [{}]" if alone else "`security` lists {} beside others: a key is optional"
        return Security(public=True, said=said, alternatives=alternatives, optional=not alone)
    return Security(public=False, said="`security` asks for a key", alternatives=alternatives)


def _is_requirement(item: object) -> bool:
    return isinstance(item, Mapping) and all(
        isinstance(scopes, list) and all(isinstance(scope, str) for scope in scopes) for scopes in item.values()
    )
