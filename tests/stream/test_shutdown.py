"""A server that stops: its followers are told, and it does not wait for them."""

import os
import signal
from time import monotonic

import pytest

from stockroom.config import WebWorker
from tests.contract.conftest import OpenSite
from tests.stream.clients import Live, read_to_the_end
from tests.threads import until

GOODBYE = (1012, "the server restarts: come back")


def test_followers_are_told_when_their_process_is_replaced(live: Live) -> None:
    with live.socket() as socket, live.stream() as (_, messages):
        live.restart()
        read_to_the_end(socket)
        *_, last = messages
    assert (socket.close_code, socket.close_reason) == GOODBYE
    assert (last.event, last.data["code"], last.data["reason"]) == ("bye", *GOODBYE)


@pytest.mark.heavy
@pytest.mark.parametrize("worker", WebWorker)
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_followers_are_told_to_come_back(
    open_site: OpenSite, worker: WebWorker, number: signal.Signals
) -> None:
    with open_site(web_worker=worker, log_level=20) as site:
        live = Live(site)
        with live.socket() as socket, live.stream() as (_, messages):
            began = monotonic()
            os.kill(live.master, number)
            read_to_the_end(socket)
            told = monotonic() - began
            *_, last = messages
        until(lambda: not site.web.answers)
    assert told < 1
    assert (socket.close_code, socket.close_reason) == GOODBYE
    assert last.event == "bye"
    assert monotonic() - began < 5
