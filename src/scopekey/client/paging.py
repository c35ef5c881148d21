"""Lists that come in pages, as what can be gone through."""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from typing import Generic, Protocol, TypeVar

Item = TypeVar("Item")


class Page(Protocol[Item]):
    """One page; `next` is the cursor of the following one, None where there is none."""

    items: list[Item]
    next: str | None


class Paged(Generic[Item]):
    """A list that is fetched page by page, as far as it is gone through: `for key in client.list_keys()`."""

    def __init__(self, fetch: Callable[[str | None], Page[Item]]) -> None:
        self._fetch = fetch

    def __iter__(self) -> Iterator[Item]:
        for page in self.pages():
            yield from page.items

    def pages(self) -> Iterator[Page[Item]]:
        """The same, a page at a time. A page may be empty and not the last."""
        page = self._fetch(None)
        yield page
        while page.next is not None:
            page = self._fetch(page.next)
            yield page

    def page(self, cursor: str | None = None) -> Page[Item]:
        """One page: the first, or that of a cursor."""
        return self._fetch(cursor)


class AsyncPaged(Generic[Item]):
    """A list that is fetched page by page, as far as it is gone through: `async for key in client.list_keys()`."""

    def __init__(self, fetch: Callable[[str | None], Awaitable[Page[Item]]]) -> None:
        self._fetch = fetch

    async def __aiter__(self) -> AsyncIterator[Item]:
        async for page in self.pages():
            for item in page.items:
                yield item

    async def pages(self) -> AsyncIterator[Page[Item]]:
        """The same, a page at a time. A page may be empty and not the last."""
        page = await self._fetch(None)
        yield page
        while page.next is not None:
            page = await self._fetch(page.next)
            yield page

    async def page(self, cursor: str | None = None) -> Page[Item]:
        """One page: the first, or that of a cursor."""
        return await self._fetch(cursor)
