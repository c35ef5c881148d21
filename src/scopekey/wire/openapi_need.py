"""What one operation needs, proposed: what the document says outright first, a guess with its reason else."""

from collections.abc import Iterable

from scopekey.core.catalog import OWN_LEVELS, Catalog, Resource
from scopekey.core.permission import Permission
from scopekey.core.requirement import Requirement
from scopekey.wire.openapi_document import ABSENT, DocumentedOperation
from scopekey.wire.openapi_resource import CatalogChooser, Choice, Chooser, level_of, permission_named

NOBODY = Requirement(())
"""Where nothing fits: closed until somebody decides."""

_LOOKING = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})


class Proposer:
    """Proposes what one operation needs, in one vocabulary: the catalog's, or the document's own."""

    def __init__(self, catalog: Catalog | None, chooser: Chooser) -> None:
        self._catalog = catalog
        self._chooser = chooser
        self._resources = {resource.name: resource for resource in catalog.resources} if catalog else {}
        self._observes = catalog.observes if catalog else ("read",)

    def needs(self, operation: DocumentedOperation) -> tuple[Requirement | None, list[str]]:
        """Propose a requirement, None for public, and the lines of its comment; empty ones mean nothing."""
        security = operation.security
        if operation.stated is not None:
            requirement, comment = self._stated(operation.stated)
            contradicts = security.public and security.said != ABSENT
            return requirement, [*comment, f"LOOK: but {security.said}" if contradicts else ""]
        if security.public:
            return None, [f"public: {security.said}", *_public_remarks(operation)]
        scoped = [alternative for alternative in security.alternatives if alternative]
        if scoped:
            return self._scoped(operation, scoped)
        return self._guessed(operation, [] if security.said == "`security` asks for a key" else [security.said])

    def _stated(self, stated: object) -> tuple[Requirement, list[str]]:
        alternatives = _alternatives(stated)
        if not alternatives:
            return NOBODY, ["LOOK: `x-required-permissions` names no permission: closed until one is written here"]
        read = [[(name, self._permission(name)) for name in alternative] for alternative in alternatives]
        unknown = dict.fromkeys(name for alternative in read for name, permission in alternative if not permission)
        whole = [
            tuple(dict.fromkeys(p for _, p in alternative if p))
            for alternative in read
            if all(p for _, p in alternative)
        ]
        said = "from x-required-permissions"
        if not unknown:
            return Requirement(tuple(dict.fromkeys(whole))), [said]
        closed = "the ways with them are left out" if whole else "closed until a permission is written here"
        remark = f"LOOK: no permissions here: {', '.join(map(repr, unknown))}; {closed}"
        return Requirement(tuple(dict.fromkeys(whole))), [said, remark]

    def _scoped(self, operation: DocumentedOperation, scoped: list[tuple[str, ...]]) -> tuple[Requirement, list[str]]:
        """Several scopes of one way in are all needed; several ways in are alternatives."""
        read = [tuple(self._permission(scope) for scope in alternative) for alternative in scoped]
        known = [tuple(dict.fromkeys(p for p in alternative if p)) for alternative in read]
        whole = [mine for mine, alternative in zip(known, read, strict=True) if None not in alternative]
        names = "; ".join(", ".join(alternative) for alternative in scoped)
        if not any(known):
            return self._guessed(operation, [f"LOOK: the security scopes are no permissions here, not used: {names}"])
        remarks = [f"from security scopes {names}"]
        if len(whole) < len(scoped):
            closed = "those ways in are left out" if whole else "closed until a permission is written here"
            remarks.append(f"LOOK: some of these scopes are no permissions here: {closed}")
        if len(scoped) < len(operation.security.alternatives):
            remarks.append("another way in names no scopes and says nothing about permissions: left out")
        return Requirement(tuple(dict.fromkeys(whole))), remarks

    def _guessed(self, operation: DocumentedOperation, remarks: list[str]) -> tuple[Requirement, list[str]]:
        choice = self._chooser(operation)
        if choice is None:
            where = f"tag {', '.join(map(repr, operation.tags))} or the path" if operation.tags else "the path"
            return NOBODY, [f"LOOK: no resource fits {where}: closed until a permission is written here", *remarks]
        resource = self._resources.get(choice.resource) or Resource(choice.resource, "", "", OWN_LEVELS)
        level = level_of(resource, operation.method, self._observes)
        comment = [f"from {choice.said} and method {operation.method}", *_doubts(operation, choice)]
        if level is None:
            remark = f"LOOK: {resource.name} offers no level that changes anything: closed until one is written here"
            return NOBODY, [*comment, remark, *remarks]
        name, remark = level
        comment.append(f"LOOK: {remark}" if remark else "")
        return Requirement.all_of(Permission(resource.name, name)), [*comment, *remarks]

    def _permission(self, name: str) -> Permission | None:
        chooser = self._chooser if isinstance(self._chooser, CatalogChooser) else None
        return permission_named(name, chooser, self._catalog)


def _alternatives(stated: object) -> list[list[str]]:
    """Read `x-required-permissions`: one name, a list of names all needed, or a list of such lists."""
    if isinstance(stated, str):
        return [[stated]]
    if not isinstance(stated, list):
        return []
    if stated and all(isinstance(item, str) for item in stated):
        return [stated]
    if all(isinstance(item, list) and all(isinstance(name, str) for name in item) for item in stated):
        return stated
    return []


def _public_remarks(operation: DocumentedOperation) -> Iterable[str]:
    if operation.security.optional:
        yield "LOOK: whoever sends no key gets in, too"
    if operation.method not in _LOOKING:
        yield f"LOOK: {operation.method} may change something, and anybody may call it"


def _doubts(operation: DocumentedOperation, choice: Choice) -> Iterable[str]:
    if choice.weak:
        yield f"LOOK: a weak guess: {choice.resource!r} is only the nearest resource"
    if "admin" in operation.path.split("/"):
        yield "LOOK: the path says admin"
