"""The keeper of a control plane: the process beside the workers that takes over what they recorded, and seals it.

A worker's interpreter is for answers; what can be done a moment later is done here.
"""

import os
import signal
from collections.abc import Callable

from scopekey.server.node import Node
from scopekey.settings import Settings


def keep() -> None:
    """What the keeper's process runs, until SIGTERM: settings from the environment."""
    reader, writer = os.pipe()
    # A pipe and no lock: a second one, while the first is being told, would wait for a lock that the first holds.
    signal.signal(signal.SIGTERM, lambda *_: os.write(writer, b"."))
    # Ctrl-C reaches every process of a terminal: the one that watches ends this one, after all others.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    keep_until(lambda: os.read(reader, 1), Node.open(Settings()))


def keep_until(told: Callable[[], object], node: Node) -> None:
    """Carry and seal until this returns; then once more what is left, and close the node."""
    try:
        node.carry()
        told()
    finally:
        node.close()
