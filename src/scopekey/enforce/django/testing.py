"""Django's test clients, which tell the raw target as a server does: without it every request is refused."""

from typing import Any
from urllib.parse import urlsplit

from django import test
from django.utils.encoding import iri_to_uri

from scopekey.core.target import escaped


class Client(test.Client):  # type: ignore[misc] # Django has no types
    """`django.test.Client` for a guarded project; a path goes as it is written, escapes included."""

    def generic(self, method: str, path: Any, *args: Any, **extra: Any) -> Any:
        """Send a request."""
        raw = urlsplit(iri_to_uri(str(path))).path
        return super().generic(method, path, *args, **{"RAW_URI": raw, **extra})


class AsyncClient(test.AsyncClient):  # type: ignore[misc] # Django has no types
    """`django.test.AsyncClient` for a guarded project; a path goes in its plain spelling."""

    async def request(self, **request: Any) -> Any:
        """Send a request."""
        raw = escaped(request["path"]).encode()
        return await super().request(**{"raw_path": raw, **request})
