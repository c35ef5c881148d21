"""A data plane inside an application: the same node as a gateway's, with its follower in a thread.

All processes of the application share one replica; one of them follows, and another takes over where
that one ends.
"""

import logging
import os
import threading
import time
import weakref
from collections.abc import Callable

from scopekey.gateway.following import follower
from scopekey.gateway.home import StartRefusedError, prepare
from scopekey.gateway.node import GatewayNode
from scopekey.replica.follow import Follower
from scopekey.replica.status import State
from scopekey.settings import Settings

_log = logging.getLogger(__name__)

PATIENCE = 10.0
"""Seconds that opening waits for a first replica; after them every check is refused until there is one."""


class Connected:
    """An open data plane. Raises StartRefusedError where nobody may answer from it."""

    def __init__(self, settings: Settings, *, key: Callable[[], str]) -> None:
        settings.pepper_ring()
        prepare(settings)
        self._settings, self._key = settings, key
        self.node: GatewayNode = GatewayNode(settings, key=key)
        self._begin()
        try:
            self._wait()
        except BaseException:
            self.close()
            raise
        _connected.add(self)

    def close(self) -> None:
        """Stop following, hand up the journal, and let go of the replica."""
        _connected.discard(self)
        self._follower.stop()
        self._thread.join()
        self.node.close()

    def _begin(self) -> None:
        self._follower: Follower = follower(self._settings, key=self._key, index=self.node.index)
        self._thread = threading.Thread(target=self._follower.run, name="scopekey-follower", daemon=True)
        self._thread.start()
        self.node.carry()

    def _wait(self) -> None:
        """Wait until the follower has found out how things are, and for a first replica where there is none."""
        given_up = time.monotonic() + PATIENCE
        while time.monotonic() < given_up:
            status, verifier = self._follower.status, self.node.verifier
            if status.state is State.REFUSED:
                raise StartRefusedError(status.detail)
            answers = verifier.freshness.age(verifier.clock()) <= verifier.freshness.refuse_after
            if status.state is State.AWAY or (answers and status.state in {State.FOLLOWING, State.STANDBY}):
                break
            time.sleep(0.01)
        if self.node.index.place() is None:
            _log.warning("there is no replica here yet: every check is refused until %s", self._settings.upstream)

    def after_fork_in_child(self) -> None:
        """The thread did not come along; the lock that it leads by belongs to the parent."""
        self._follower.leadership.release()
        self._begin()


_connected: "weakref.WeakSet[Connected]" = weakref.WeakSet()


def _after_fork_in_child() -> None:
    for connected in list(_connected):
        connected.after_fork_in_child()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork_in_child)
