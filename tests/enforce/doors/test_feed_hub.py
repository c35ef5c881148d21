"""What the streams of one process share: whoever waits is woken by every change, whoever has seen it first."""

import asyncio

from scopekey.enforce.doors.feed_hub import FeedHub
from scopekey.replica.index import Now, Place

WITHIN = 5.0
PLACE = Place("feed", 1, b"m" * 16)


class Replica:
    """A source and its index, which stand where a test puts them."""

    def __init__(self):
        self.index = self
        self.stands = Now(1, 1, 1)

    def now(self):
        return self.stands

    def after(self, _place):
        return []


async def woken(see):
    """Wait as a stream does while the replica moves on; `see` is what another stream does right then."""
    replica = Replica()
    hub = FeedHub(replica)
    hub.after(PLACE)
    waiting = asyncio.create_task(hub.changed(10 * WITHIN))
    await asyncio.sleep(0)
    replica.stands = Now(1, 1, 2)
    see(hub)
    await asyncio.wait_for(waiting, WITHIN)


def test_a_stream_that_waits_is_woken_by_a_change():
    asyncio.run(woken(lambda _: None))


def test_a_stream_that_waits_is_woken_by_a_change_that_another_one_saw_first():
    asyncio.run(woken(lambda hub: hub.after(PLACE)))
