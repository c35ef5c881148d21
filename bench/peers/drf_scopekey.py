"""Scopekey as a permission class of Django REST framework: the same place in the same server as the peer's."""

from random import getrandbits
from typing import Any

from rest_framework.permissions import BasePermission

from bench.deployed import Deployed
from scopekey.enforce.credential import credential

_GUARD = Deployed.named().verifier.applied


class HasScopekey(BasePermission):
    """Lets through what the applied rules allow: decided on the raw target, recorded before it is answered."""

    def has_permission(self, request: Any, view: Any) -> bool:  # noqa: ARG002 - as the framework calls it
        """Tell whether the request proceeds."""
        meta = request.META
        event, ticket = _GUARD.request(
            request.method,
            meta["RAW_URI"].encode("latin-1"),
            credential({b"authorization": meta.get("HTTP_AUTHORIZATION", "").encode("latin-1")}),
            address=meta["REMOTE_ADDR"],
            request_id=f"req_{getrandbits(80):020x}",
        )
        ticket.wait()
        return bool(event.proceeds)
