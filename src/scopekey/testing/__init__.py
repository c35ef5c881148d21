"""For your own test suite: a verifier with keys you write down. No server, no files, the same every time.

```python
keys = Keys("datasets:read", "datasets:write")
client = TestClient(ScopekeyMiddleware(app, keys, rules=rules))
client.get("/datasets", headers=keys.headers("datasets:read"))
assert_allowed(keys, "GET /datasets", used="datasets:read")
```

With pytest there are fixtures for it: `scopekey_keys` and `allow` (docs/guides/testing.md).
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from scopekey.testing.assertions import (
        assert_allowed,
        assert_needs,
        assert_public,
        assert_refused,
        assert_requires,
        used_permissions,
    )
    from scopekey.testing.decided import Decided
    from scopekey.testing.keys import START, Keys

__all__ = [
    "START",
    "Decided",
    "Keys",
    "assert_allowed",
    "assert_needs",
    "assert_public",
    "assert_refused",
    "assert_requires",
    "used_permissions",
]

_HOMES = {"START": "keys", "Keys": "keys", "Decided": "decided"}


# Lazily, as in the root: pytest imports this package at every start, also where no test uses it.
def __getattr__(name: str) -> object:
    if name not in __all__:
        raise AttributeError(f"module 'scopekey.testing' has no attribute {name!r}")
    return getattr(import_module(f"scopekey.testing.{_HOMES.get(name, 'assertions')}"), name)
