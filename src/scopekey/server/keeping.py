"""The keeper of a control plane: the process beside the workers that takes over what they recorded, and seals it.

A worker's interpreter is for answers; what can be done a moment later is done here.
"""

import logging
import signal
import threading
from collections.abc import Callable

from scopekey.server.node import Node
from scopekey.settings import Settings

_log = logging.getLogger(__name__)

SEAL_EVERY = 0.25
"""Seconds between two looks for entries that have arrived."""


def keep(seal: Callable[[Node], object] | None = None) -> None:
    """What the keeper's process runs, until SIGTERM: settings from the environment.

    `seal` numbers and seals what has arrived by then, and is called about four times a second.
    """
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s: %(message)s")
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    # Ctrl-C reaches every process of a terminal: the one that watches ends this one, after all others.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    keep_until(stop, Node.open(Settings()), seal or _nothing)


def keep_until(stop: threading.Event, node: Node, seal: Callable[[Node], object]) -> None:
    """Carry and seal until somebody says stop; then once more what is left, and close the node."""
    node.carry()
    failed = False
    while not stop.wait(SEAL_EVERY):
        try:
            seal(node)
            failed = False
        except Exception:  # noqa: BLE001 - whatever it is, it may pass
            if not failed:
                _log.exception("what arrived cannot be sealed; it is tried again")
            failed = True
    node.hand_over()
    try:
        seal(node)
    finally:
        node.close()


def _nothing(_: Node) -> None:
    return
