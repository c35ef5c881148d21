"""The follower of a gateway: its look ahead before anything starts, and the process in which it follows and carries."""

import signal
import threading
from collections.abc import Callable
from functools import partial

from scopekey.gateway.home import StartRefusedError, prepare, write_status
from scopekey.gateway.node import carrier, key_of, upstream_of
from scopekey.replica.clock import milliseconds
from scopekey.replica.follow import Follower
from scopekey.replica.leader import Leadership
from scopekey.replica.lmdb_index import LmdbIndex
from scopekey.replica.send_decisions import SendDecisions
from scopekey.replica.upstream import RefusedError, Upstream, UpstreamAwayError
from scopekey.settings import Settings
from scopekey.wire.feed import UnreadableFeedError


def follower(
    settings: Settings,
    *,
    key: Callable[[], str] | None = None,
    index: LmdbIndex | None = None,
    replace: bool = False,
) -> Follower:
    """The follower of a data plane's settings. Raises MissingSecretError, StartRefusedError, ValueError."""
    return Follower(
        index or LmdbIndex(settings.replica_path),
        Upstream(upstream_of(settings), key or key_of(settings)),
        peppers=settings.pepper_ring(),
        key_format=settings.key_format,
        leadership=Leadership(settings.replica_path / "follower.lock"),
        clock=milliseconds,
        tell=partial(write_status, settings),
        replace=replace,
    )


def look_ahead(settings: Settings, *, replace: bool = False) -> str | None:
    """See whether there is anything to refuse to start for; gives a warning where the upstream is only away.

    Raises StartRefusedError, MissingSecretError, ValueError.
    """
    # What is not given is said before anything is made.
    upstream_of(settings)
    settings.pepper_ring()
    key_of(settings)
    prepare(settings)
    trying = follower(settings, replace=replace)
    try:
        trying.probe()
    except (RefusedError, UnreadableFeedError) as error:
        raise StartRefusedError(str(error)) from error
    except UpstreamAwayError as error:
        if trying.index.place() is None:
            return f"{error}. There is no replica here yet: every check is refused with 503 until it can be reached."
        return f"{error}. Checks are answered from the replica that is here, until it is too old."
    finally:
        trying.index.close()
    return None


def follow(*, replace: bool = False) -> None:
    """What the follower's process runs, until SIGTERM: settings from the environment."""
    settings = Settings()
    following = follower(settings, replace=replace)
    sender = SendDecisions(upstream_of(settings), key_of(settings))
    carrying = carrier(settings, sender)
    carrying.start()

    def end(*_: object) -> None:
        # Once: a second one, from whoever started this process too, would wait for locks that the first holds.
        signal.signal(signal.SIGTERM, lambda *_: None)
        following.stop()

    signal.signal(signal.SIGTERM, end)
    # Ctrl-C reaches every process of a terminal: the one that watches ends this one in its turn.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    running = threading.Thread(target=following.run, name="scopekey-follower")
    running.start()
    running.join()
    carrying.stop()
    sender.close()
    following.index.close()
