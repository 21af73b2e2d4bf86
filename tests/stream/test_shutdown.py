"""A server that stops: its followers are told, and it does not wait for them."""

import os
import signal
from time import monotonic

import pytest
from websockets.exceptions import ConnectionClosedError

from stockroom.config import WebWorker
from tests.contract.conftest import OpenSite
from tests.contract.web import until
from tests.stream.clients import Live, Message


def master_of(live: Live) -> int:
    """The process that watches over the workers, as it names itself in its log."""
    line = next(line for line in live.log.splitlines() if "Listening at" in line)
    return int(line.rpartition("(")[2].partition(")")[0])


@pytest.mark.parametrize(
    ("worker", "number"),
    [
        (WebWorker.THREADS, signal.SIGTERM),
        pytest.param(WebWorker.THREADS, signal.SIGINT, marks=pytest.mark.heavy),
        pytest.param(WebWorker.GREENLETS, signal.SIGTERM, marks=pytest.mark.heavy),
        pytest.param(WebWorker.GREENLETS, signal.SIGINT, marks=pytest.mark.heavy),
    ],
)
def test_followers_are_told_to_come_back(
    open_site: OpenSite, worker: WebWorker, number: signal.Signals
) -> None:
    with open_site(web_worker=worker, log_level=20) as site:
        live = Live(site)
        with live.socket() as socket, live.stream() as (_, messages):
            began = monotonic()
            os.kill(master_of(live), number)
            with pytest.raises(ConnectionClosedError):
                socket.recv(5)
            told = monotonic() - began
            *_, last = messages
        until(lambda: not site.web.answers)
    assert told < 1
    assert (socket.close_code, socket.close_reason) == (1012, "the server restarts: come back")
    assert last == Message(None, "bye", {"code": 1012, "reason": "the server restarts: come back"})
    assert monotonic() - began < 5
