"""Keyword arguments that a type names: whatever else is given is refused, as any function of Python does."""

from collections.abc import Iterable


def refuse_others(given: Iterable[str], known: type) -> None:
    """Raise TypeError for a name that a TypedDict does not have.

    The type says so to checkers alone; without this a misspelt filter would find everything.
    """
    for name in given:
        if name not in known.__annotations__:
            raise TypeError(f"unexpected keyword argument {name!r}: there are {', '.join(known.__annotations__)}")
