"""The gateway's ASGI application: the doors and the probes. Only joins."""

from collections.abc import Callable

from scopekey.core.ids import PepperId
from scopekey.core.problem import PROBLEMS
from scopekey.enforce.asgi import Receive, Scope, Send
from scopekey.enforce.doors.data_plane import Door, Doors
from scopekey.enforce.doors.metrics import JournalFolder
from scopekey.enforce.doors.probes import PATHS, Probes
from scopekey.enforce.doors.run import Run
from scopekey.enforce.request import new_request_id
from scopekey.enforce.respond import refuse_with
from scopekey.gateway import relay
from scopekey.gateway.home import read_status
from scopekey.gateway.node import GatewayNode, key_of, upstream_of
from scopekey.gateway.relay import JournalRelay
from scopekey.replica.feed_source import FeedSource
from scopekey.settings import Settings


class Gateway:
    """One worker's application. `drain` ends what is held open."""

    def __init__(self, node: GatewayNode, *, run: Run | None = None) -> None:
        self.node = node
        source = FeedSource(node.index, self._peppers)
        self._relay = JournalRelay(upstream_of(node.settings), node.key)
        self._doors = Doors(
            node,
            source,
            trusted_proxies=node.settings.trusted_proxies,
            more=(Door(f"POST {relay.PATH}", relay.NEEDED, self._relay),),
        )
        self._probes = Probes(
            node,
            follower=lambda: read_status(node.settings),
            journal=JournalFolder(node.settings.journal_path, node.settings.journal_limit),
            run=run,
        )
        self.drain: Callable[[], None] = self._doors.drain

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        if scope["type"] == "lifespan":
            await self._live(receive, send)
        elif scope["type"] != "http":
            await send({"type": "websocket.close", "code": 1000, "reason": ""})
        elif (door := self._doors.at(scope["path"])) is not None:
            await door(scope, receive, send)
        elif scope["path"] in PATHS:
            await self._probes(scope, receive, send)
        else:
            refusal = refuse_with(PROBLEMS["not_found"], PROBLEMS["not_found"].detail, new_request_id())
            await send({"type": "http.response.start", "status": refusal.status, "headers": refusal.headers})
            await send({"type": "http.response.body", "body": refusal.body})

    def _peppers(self) -> tuple[PepperId, ...]:
        status = read_status(self.node.settings)
        # Before the follower has heard which are in use, all that are here may be.
        return (status.peppers if status else ()) or tuple(self.node.peppers)

    async def _live(self, receive: Receive, send: Send) -> None:
        while True:
            message = await receive()
            if message["type"] == "lifespan.shutdown":
                await self._relay.close()
                self.node.close()
                await send({"type": "lifespan.shutdown.complete"})
                return
            await send({"type": "lifespan.startup.complete"})


def create_app() -> Gateway:
    """What each worker process of `gateway` runs: settings from the environment."""
    settings = Settings()
    node = GatewayNode(settings, key=key_of(settings))
    return Gateway(node, run=Run.of_this_process(node.journal, settings.home))
