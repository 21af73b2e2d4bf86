"""Processes are exchanged (SIGHUP) while clients keep asking over connections that they keep."""

import os
import signal
from contextlib import ExitStack
from http.client import HTTPConnection
from threading import Event, Thread

import pytest

from tests.contract.conftest import Site
from tests.contract.web import until
from tests.serving.processes import master_of, workers_of

CLIENTS = 8
TIMES = 3


class Client:
    """Asks over one connection for as long as the server keeps it, and then over another."""

    def __init__(self, site: Site) -> None:
        self.statuses: list[int] = []
        self.failures: list[Exception] = []
        self._connection = HTTPConnection(site.web.host, site.web.port, timeout=30)
        self._over = Event()
        self._thread = Thread(target=self._ask)
        self._thread.start()

    def stop(self) -> None:
        self._over.set()
        self._thread.join()
        self._connection.close()

    def _ask(self) -> None:
        while not self._over.is_set() and not self.failures:
            try:
                self._connection.request("GET", "/api/v1/products")
                answer = self._connection.getresponse()
                answer.read()
                self.statuses.append(answer.status)
            except Exception as failure:  # noqa: BLE001 - whatever it is, it is one
                self.failures.append(failure)

    def has_asked_again(self) -> bool:
        """Whether an answer has come that was asked for after this call."""
        seen = len(self.statuses)
        until(lambda: len(self.statuses) > seen + 1 or self.failures)
        return not self.failures


def test_who_asks_once_more_while_a_process_stops_is_answered(pair: Site) -> None:
    def ask(connection: HTTPConnection) -> int:
        connection.request("GET", "/healthz")
        answer = connection.getresponse()
        answer.read()
        return answer.status

    with ExitStack() as stack:
        connections = [HTTPConnection(pair.web.host, pair.web.port) for _ in range(CLIENTS)]
        for connection in connections:
            stack.callback(connection.close)
        assert [ask(connection) for connection in connections] == [200] * CLIENTS
        os.kill(workers_of(pair)[0], signal.SIGTERM)
        assert [ask(connection) for connection in connections] == [200] * CLIENTS


@pytest.mark.heavy
def test_an_exchange_of_all_processes_fails_no_request(pair: Site) -> None:
    clients = [Client(pair) for _ in range(CLIENTS)]
    try:
        for _ in range(TIMES):
            exchange(pair)
            assert all(client.has_asked_again() for client in clients)
    finally:
        for client in clients:
            client.stop()
    assert [client.failures for client in clients] == [[]] * CLIENTS
    assert {status for client in clients for status in client.statuses} == {200}


def exchange(site: Site) -> None:
    """Have all processes replaced, and wait until the old ones are gone."""
    before = set(workers_of(site))
    os.kill(master_of(site), signal.SIGHUP)
    until(lambda: not before & set(workers_of(site)))
