"""Lists in pages: `?limit=` and `?after=`, the number of the last item seen."""

from collections.abc import Callable
from typing import Annotated, Generic, TypeVar

from fastapi import Query
from pydantic import BaseModel

Item = TypeVar("Item")

Limit = Annotated[int, Query(ge=1, le=500, description="How many items to answer with.")]
After = Annotated[int, Query(ge=0, le=2**62, description="`next` of the page before.")]


class Page(BaseModel, Generic[Item]):
    """Some items, and where the next page begins (null on the last)."""

    items: list[Item]
    next: int | None


def page_of(items: list[Item], limit: int, number: Callable[[Item], int]) -> Page[Item]:
    """The first `limit` of `items`, which holds one more where there is a next page."""
    shown = items[:limit]
    return Page(items=shown, next=number(shown[-1]) if len(items) > limit else None)
