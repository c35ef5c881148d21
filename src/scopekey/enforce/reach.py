"""``Scopekey-Position``: who has just changed something is not answered from before it.

Only a key whose secret has matched can make a node wait: a made-up position with a made-up key costs
nothing but the look.
"""

import asyncio

from scopekey.core.decision import DenialReason, Denied
from scopekey.enforce.fields import Fields
from scopekey.replica.decider import Decider
from scopekey.replica.freshness import milliseconds_since_boot
from scopekey.replica.guard import Credential
from scopekey.wire.feed import read_position

HEADER = b"scopekey-position"
PATIENCE = 250
"""Milliseconds that a call is held back at most."""
_LOOK_EVERY = 0.005


def behind(verifier: Decider, fields: Fields, presented: Credential) -> Denied | None:
    """Give the refusal where the replica is not where the caller has been; for adapters that cannot wait.

    Another feed's position, a malformed one and several are ignored.
    """
    told = fields.get(HEADER)
    wanted = read_position(told.decode("latin-1")) if told else None
    if wanted is None or not isinstance(presented, str) or verifier.renew() >= wanted.position:
        return None
    place = verifier.index.place()
    if place is None or place.feed_id != wanted.feed_id:
        return None
    key, secret = verifier.identify(presented)
    if key is None or secret is None:
        return None
    return Denied(DenialReason.STALE_REPLICA, key, secret)


async def reach(verifier: Decider, fields: Fields, presented: Credential) -> Denied | None:
    """Wait until the replica is where the caller has been; gives the refusal where it does not get there."""
    refused = behind(verifier, fields, presented)
    given_up = milliseconds_since_boot() + PATIENCE
    while refused is not None and milliseconds_since_boot() < given_up:
        await asyncio.sleep(_LOOK_EVERY)
        refused = behind(verifier, fields, presented)
    return refused
