"""A process with greenlets: many followers, and ordinary requests beside them."""

import asyncio
import resource
from collections.abc import Iterator
from contextlib import AsyncExitStack

import pytest
from websockets.asyncio.client import ClientConnection

from stockroom.config import WebWorker
from tests.contract.conftest import OpenSite
from tests.stream.clients import Live
from tests.stream.crowd import PATIENCE_SECONDS, next_position, socket_to

EVENTS_WRITTEN = 30
AT_ONCE = 50
LEAST_ANSWERS = 3


@pytest.fixture
def many_files() -> Iterator[None]:
    """As many open files as this process may have; those that it starts have them too."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@pytest.mark.parametrize("clients", [50, pytest.param(1000, marks=pytest.mark.heavy)])
def test_all_get_the_same_events_while_requests_are_answered(
    open_site: OpenSite, many_files: None, clients: int
) -> None:
    with open_site(web_worker=WebWorker.GREENLETS, stream_connections=clients) as site:
        live = Live(site)
        start = live.now()
        seen, answers = asyncio.run(_follow_and_ask(live, start, clients))
        assert "MonkeyPatchWarning" not in live.log
    assert seen == [list(range(start + 1, start + 1 + EVENTS_WRITTEN))] * clients
    assert answers >= LEAST_ANSWERS


async def _follow_and_ask(live: Live, start: int, clients: int) -> tuple[list[list[int]], int]:
    """The positions that each client got, and how many requests were answered meanwhile."""
    headers = {"Authorization": f"Bearer {live.token}"}
    gate = asyncio.Semaphore(AT_ONCE)
    async with asyncio.timeout(PATIENCE_SECONDS), AsyncExitStack() as stack:

        async def enter() -> ClientConnection:
            async with gate:
                socket = socket_to(live.site.web.port, f"after={start}", headers)
                return await stack.enter_async_context(socket)

        sockets = await asyncio.gather(*(enter() for _ in range(clients)))
        over = asyncio.Event()
        asking = asyncio.create_task(_ask(live, over))
        writing = asyncio.create_task(asyncio.to_thread(live.make_products, EVENTS_WRITTEN))
        seen = await asyncio.gather(*map(_positions, sockets))
        await writing
        over.set()
        return seen, await asking


async def _positions(socket: ClientConnection) -> list[int]:
    return [await next_position(socket) for _ in range(EVENTS_WRITTEN)]


async def _ask(live: Live, over: asyncio.Event) -> int:
    """Read the catalogue again and again; returns how many answers came before it was over."""
    answers = 0
    while not over.is_set():
        answer = await asyncio.to_thread(live.site.web.get, "/api/v1/products")
        assert answer.status == 200
        answers += not over.is_set()
    return answers
