"""The Python client: for the calls of a platform that Scopekey guards, and for Scopekey's own API.

```python
from scopekey.client import ScopekeyClient

with ScopekeyClient.from_environment() as client:
    client.request("GET", "/datasets")
```
"""

from scopekey.client.async_client import AsyncScopekeyClient
from scopekey.client.client import ScopekeyClient
from scopekey.client.errors import (
    ApiError,
    ConfigurationError,
    InvalidKeyError,
    MissingPermissionError,
    RateLimitedError,
    RefusedError,
    RequestRefusedError,
    ScopekeyError,
    ScopekeyFailure,
    UnavailableError,
    UnlistedOperationError,
    UnreachableError,
    UnreadableTargetError,
)
from scopekey.client.expiry import KeyExpiry
from scopekey.client.paging import AsyncPaged, Page, Paged

__all__ = [
    "ApiError",
    "AsyncPaged",
    "AsyncScopekeyClient",
    "ConfigurationError",
    "InvalidKeyError",
    "KeyExpiry",
    "MissingPermissionError",
    "Page",
    "Paged",
    "RateLimitedError",
    "RefusedError",
    "RequestRefusedError",
    "ScopekeyClient",
    "ScopekeyError",
    "ScopekeyFailure",
    "UnavailableError",
    "UnlistedOperationError",
    "UnreachableError",
    "UnreadableTargetError",
]
