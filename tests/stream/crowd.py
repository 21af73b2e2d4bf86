"""Many clients at once, each of which drops its connection at random and resumes."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from random import Random

from flask import Flask
from websockets.asyncio.client import ClientConnection, connect

from stockroom.core.background.engine import Engine
from tests.stream.clients import EVENTS, Live

PATIENCE_SECONDS = 240


def assert_each_gets_every_event_once(*sites: Live, clients: int, count: int) -> None:
    """So many clients get the same positions in order, while so many events are written.

    :param sites: of one database; a client follows now one of them, now another.
    """
    live, ports = sites[0], [site.site.web.port for site in sites]
    start = live.now()
    followers = [_Follower(ports, live.token, start, Random(number)) for number in range(clients)]  # noqa: S311 - no secret
    asyncio.run(_all_follow(live, followers, start, count))
    expected = list(range(start + 1, start + 1 + count))
    assert [follower.seen for follower in followers] == [expected] * clients


async def _all_follow(live: Live, followers: list["_Follower"], start: int, count: int) -> None:
    async with asyncio.timeout(PATIENCE_SECONDS):
        writing = asyncio.create_task(asyncio.to_thread(live.make_products, count))
        await asyncio.gather(*(follower.follow(start + count) for follower in followers))
        await writing


class _Follower:
    def __init__(self, ports: Sequence[int], token: str, start: int, chance: Random) -> None:
        self._ports = ports
        self._headers = {"Authorization": f"Bearer {token}"}
        self._chance = chance
        self._position = start
        self.seen: list[int] = []

    async def follow(self, end: int) -> None:
        longest = max(2, (end - self._position) // 3)
        while self._position < end:
            await asyncio.sleep(self._chance.uniform(0, 0.2))
            port = self._chance.choice(self._ports)
            async with socket_to(port, f"after={self._position}", self._headers) as socket:
                for _ in range(min(end - self._position, self._chance.randint(1, longest))):
                    await self._take(socket)
                if self._chance.random() < 0.5:
                    # Gone without a word, with events under way.
                    socket.transport.abort()

    async def _take(self, socket: ClientConnection) -> None:
        self._position = await next_position(socket)
        self.seen.append(self._position)


@asynccontextmanager
async def socket_to(
    port: int, query: str, headers: dict[str, str]
) -> AsyncIterator[ClientConnection]:
    address = f"ws://127.0.0.1:{port}{EVENTS}/ws?{query}"
    async with connect(
        address, additional_headers=headers, proxy=None, max_queue=None, open_timeout=30
    ) as socket:
        yield socket


async def next_position(socket: ClientConnection) -> int:
    """The position of the next event, past the heartbeats before it."""
    while "id" not in (message := json.loads(await socket.recv())):
        pass
    return int(message["position"])


@contextmanager
def working(app: Flask) -> Iterator[None]:
    """The work that a worker of Celery does, in this process."""
    engine = Engine(app)
    engine.start()
    try:
        yield
    finally:
        engine.stop()
