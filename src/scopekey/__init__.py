"""Scopekey issues, enforces, audits and keeps narrowing scoped API keys.

`Scopekey` is imported when it is first asked for, so that a part of the package costs only itself.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from scopekey.core.decision import Allowed, Decision, DenialReason, Denied
    from scopekey.opening import Scopekey

__version__ = "0.1.0"
__all__ = ["Allowed", "Decision", "DenialReason", "Denied", "Scopekey", "__version__"]

_HOMES = {
    "Allowed": "scopekey.core.decision",
    "Decision": "scopekey.core.decision",
    "Denied": "scopekey.core.decision",
    "DenialReason": "scopekey.core.decision",
    "Scopekey": "scopekey.opening",
}


def __getattr__(name: str) -> object:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module 'scopekey' has no attribute {name!r}")
    return getattr(import_module(home), name)
