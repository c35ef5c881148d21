"""The keeper of a control plane: the process beside the workers that takes over what they recorded, and seals it.

A worker's interpreter is for answers; what can be done a moment later is done here.
"""

import signal
import threading

from scopekey.server.node import Node
from scopekey.settings import Settings


def keep() -> None:
    """What the keeper's process runs, until SIGTERM: settings from the environment."""
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    # Ctrl-C reaches every process of a terminal: the one that watches ends this one, after all others.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    keep_until(stop, Node.open(Settings()))


def keep_until(stop: threading.Event, node: Node) -> None:
    """Carry and seal until somebody says stop; then once more what is left, and close the node."""
    try:
        node.carry()
        stop.wait()
    finally:
        node.close()
