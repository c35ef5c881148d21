"""Whether a table and an OpenAPI document speak of the same operations."""

from collections.abc import Iterator, Sequence

import msgspec

from scopekey.core.overlap import Templates, meet
from scopekey.core.rules import InvalidOperationError, Operation, Rules
from scopekey.core.target import Target
from scopekey.wire.openapi_document import LeftOut, read_document


class Coverage(msgspec.Struct, frozen=True):
    """What one has and the other has not.

    `uncovered` are documented operations with a request that no rule lists; `gone` the positions of rules
    for operations that are not documented; `unread` what could not be read as an operation.
    """

    uncovered: tuple[tuple[Operation, str], ...]
    gone: tuple[int, ...]
    unread: tuple[LeftOut, ...]


def coverage(rules: Rules, document: object, *, base_path: str = "") -> Coverage:
    """Compare a table with a parsed document whose paths stand under `base_path`. Raises OpenApiError."""
    documented, left_out = read_document(document)
    operations: list[Operation] = []
    unread = list(left_out)
    for found in documented:
        try:
            operations.append(Operation.parse(f"{found.method} {base_path.rstrip('/')}{found.path}"))
        except InvalidOperationError as error:
            unread.append(LeftOut(str(found), str(error)))
    listed = _ByMethod([rule.operation for rule in rules.rules])
    present = _ByMethod(operations)
    return Coverage(
        uncovered=tuple(_uncovered(listed, operations)),
        gone=tuple(at for at, rule in enumerate(rules.rules) if not present.has_within(rule.operation)),
        unread=tuple(unread),
    )


def _uncovered(listed: "_ByMethod", operations: Sequence[Operation]) -> Iterator[tuple[Operation, str]]:
    for operation in operations:
        if not listed.has_around(operation):
            met = meet(operation.template)
            yield operation, f"{operation.method} {Target(met.path).path if met else operation.template.text}"


class _ByMethod:
    """Operations by method; a HEAD may be served by a GET."""

    def __init__(self, operations: Sequence[Operation]) -> None:
        self._found: dict[str, tuple[Templates, list[Operation]]] = {}
        for operation in operations:
            index, kept = self._found.setdefault(operation.method, (Templates(), []))
            index.add(operation.template)
            kept.append(operation)

    def has_around(self, operation: Operation) -> bool:
        """Tell whether one of these matches every path of an operation."""
        return any(other.template.covers(operation.template) for other in self._rivals(operation))

    def has_within(self, operation: Operation) -> bool:
        """Tell whether an operation matches every path of one of these."""
        return any(operation.template.covers(other.template) for other in self._rivals(operation))

    def _rivals(self, operation: Operation) -> Iterator[Operation]:
        for method in (operation.method, "GET") if operation.method == "HEAD" else (operation.method,):
            index, kept = self._found.get(method, (Templates(), []))
            for number in index.rivals(operation.template):
                yield kept[number]
