"""Processes are exchanged (SIGHUP) while clients keep asking, and nobody notices."""

import json
import os
import signal
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from http.client import HTTPConnection, HTTPResponse
from select import select

import pytest

from stockroom.core.permissions import Role
from stockroom.serving.priority import NICENESS
from stockroom.serving.thread_worker import STOP_SECONDS
from tests.contract.conftest import OpenSite, Site
from tests.factories.products import product_body
from tests.factories.users import make_user, token_for
from tests.serving.clients import (
    CLIENTS,
    Ask,
    Client,
    answer_of,
    assert_answered_again,
    healthz,
    kept,
    newest,
)
from tests.serving.processes import (
    EXCHANGE_SECONDS,
    has_pending,
    heeds_signals,
    master_of,
    nicenesses,
    workers_of,
)
from tests.threads import until

TIMES = 2
SOON_SECONDS = 15
"""Sooner than gunicorn tells those who are still there once more."""


@pytest.fixture(scope="module")
def add(pair: Site) -> Ask:
    """Adds a product, which nobody may ask for a second time where an answer fails to come."""
    token = f"Bearer {token_for(pair.app, make_user(pair.app, role=Role.STAFF))}"

    def ask(connection: HTTPConnection) -> HTTPResponse:
        body = json.dumps(product_body())
        return answer_of(connection, "POST", "/api/v1/products", token=token, body=body)

    return ask


@contextmanager
def newcomers_held(site: Site) -> Iterator[None]:
    """Begin an exchange whose new processes do not get on until the block ends."""
    before = set(workers_of(site))
    os.kill(master_of(site), signal.SIGHUP)
    with others_held(site, before):
        yield


@contextmanager
def others_held(site: Site, known: set[int]) -> Iterator[None]:
    """Wait for a whole set of other processes, which do not get on until the block ends."""
    until(lambda: len(set(workers_of(site)) - known) == site.settings.processes, EXCHANGE_SECONDS)
    held = set(workers_of(site)) - known
    for pid in held:
        until(partial(heeds_signals, pid))
        os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        for pid in held:
            os.kill(pid, signal.SIGCONT)


def exchange(site: Site) -> None:
    """Have all processes replaced, and wait until the old ones are gone."""
    before = set(workers_of(site))
    os.kill(master_of(site), signal.SIGHUP)
    until(lambda: not before & set(workers_of(site)), EXCHANGE_SECONDS)


def test_who_asks_once_more_while_a_process_stops_is_answered(pair: Site) -> None:
    stopped, *_ = workers_of(pair)
    with kept(pair) as connections:
        os.kill(stopped, signal.SIGTERM)
        assert {healthz(connection).status for connection in connections} == {200}
    until(lambda: stopped not in workers_of(pair) and len(workers_of(pair)) == 2)


def test_the_old_processes_serve_until_the_new_ones_are_ready(pair: Site, add: Ask) -> None:
    before = set(workers_of(pair))
    with kept(pair) as connections:
        with newcomers_held(pair):
            # Once more, as gunicorn does after some time.
            for pid in before:
                os.kill(pid, signal.SIGTERM)
            for connection in connections:
                answers = [ask(connection) for ask in (healthz, add, newest)]
                assert [answer.status for answer in answers] == [200, 201, 200]
                assert not any(answer.will_close for answer in answers)
                assert pair.web.get("/healthz").status == 200
            assert before < set(workers_of(pair))
        for connection in connections:
            until(lambda connection=connection: healthz(connection).will_close)
    until(lambda: not before & set(workers_of(pair)), EXCHANGE_SECONDS)


def test_new_processes_leave_the_processors_to_the_old_ones_until_they_serve(pair: Site) -> None:
    before = set(workers_of(pair))
    (usual,) = nicenesses(master_of(pair))
    os.kill(master_of(pair), signal.SIGHUP)
    until(lambda: usual + NICENESS in {it for each in workers_of(pair) for it in nicenesses(each)})
    until(lambda: not before & set(workers_of(pair)), EXCHANGE_SECONDS)
    assert {it for each in workers_of(pair) for it in nicenesses(each)} == {usual}


def test_processes_that_are_killed_before_they_are_ready_relieve_nobody(pair: Site) -> None:
    before = set(workers_of(pair))
    os.kill(master_of(pair), signal.SIGHUP)
    until(lambda: len(set(workers_of(pair)) - before) == len(before))
    killed = set(workers_of(pair)) - before
    for pid in killed:
        os.kill(pid, signal.SIGKILL)
    with others_held(pair, before | killed):
        assert before < set(workers_of(pair))
        assert pair.web.get("/healthz").status == 200
    until(lambda: not before & set(workers_of(pair)), EXCHANGE_SECONDS)


@pytest.mark.heavy
def test_a_version_that_cannot_be_loaded_ends_the_server_soon(open_site: OpenSite) -> None:
    with open_site(application="tests.serving.unloadable:app") as site:
        (site.settings.instance_path / "unloadable").touch()
        os.kill(master_of(site), signal.SIGHUP)
        log = site.settings.instance_path / "gunicorn.log"
        until(lambda: "Shutting down" in log.read_text(), SOON_SECONDS)
        assert not workers_of(site)


@pytest.mark.heavy
def test_who_is_relieved_keeps_connections_however_often_it_is_told(pair: Site) -> None:
    before = set(workers_of(pair))
    with kept(pair) as (late, *others):
        os.kill(master_of(pair), signal.SIGHUP)
        for connection in others:
            until(lambda connection=connection: healthz(connection).will_close, EXCHANGE_SECONDS)
        # Once more, as gunicorn does in an exchange that takes long.
        for pid in before & set(workers_of(pair)):
            os.kill(pid, signal.SIGTERM)
        closed, _, _ = select([late.sock], [], [], STOP_SECONDS + 1)
        assert not closed
        assert healthz(late).will_close
    until(lambda: not before & set(workers_of(pair)), EXCHANGE_SECONDS)


@pytest.mark.heavy
def test_a_server_that_stops_in_an_exchange_waits_for_no_newcomer(open_site: OpenSite) -> None:
    with open_site(web_concurrency=1) as site, kept(site):
        (old,) = workers_of(site)
        with newcomers_held(site):
            os.kill(master_of(site), signal.SIGTERM)
            until(lambda: old not in workers_of(site), SOON_SECONDS)


@pytest.mark.heavy
def test_a_process_that_is_told_of_an_exchange_and_of_the_end_at_once_heeds_the_end(
    open_site: OpenSite,
) -> None:
    with open_site(web_concurrency=1) as site:
        (old,) = workers_of(site)
        os.kill(old, signal.SIGSTOP)
        with newcomers_held(site):
            until(lambda: has_pending(old, signal.SIGTERM))
            os.kill(master_of(site), signal.SIGTERM)
            until(lambda: not has_pending(master_of(site), signal.SIGTERM))
            os.kill(old, signal.SIGCONT)
            until(lambda: old not in workers_of(site), SOON_SECONDS)


@pytest.mark.heavy
def test_exchanges_of_all_processes_fail_no_request(pair: Site, add: Ask) -> None:
    manners = [
        (newest, 0.0, True),
        (add, 0.0, True),
        (newest, 3.0, True),
        (add, 3.0, True),
        (add, 8.0, True),
        (add, 0.05, False),
    ]
    with ExitStack() as stack:
        clients = [
            stack.enter_context(Client(pair, *manner)) for manner in manners for _ in range(CLIENTS)
        ]
        for _ in range(TIMES):
            exchange(pair)
            assert_answered_again(*clients)
    assert {status for client in clients for status in client.statuses} == {200, 201}


@pytest.mark.heavy
def test_an_exchange_that_is_asked_for_in_another_one_follows_it(pair: Site) -> None:
    with Client(pair, newest, keeps=False) as client:
        with newcomers_held(pair):
            between = set(workers_of(pair))
            os.kill(master_of(pair), signal.SIGHUP)
        until(
            lambda: len(workers_of(pair)) == 2 and not between & set(workers_of(pair)),
            EXCHANGE_SECONDS,
        )
        assert_answered_again(client)


@pytest.mark.heavy
def test_a_process_that_does_not_come_up_holds_an_exchange_up_for_a_while_alone(
    pair: Site,
) -> None:
    before = set(workers_of(pair))
    with Client(pair, newest, keeps=False) as client:
        os.kill(master_of(pair), signal.SIGHUP)
        until(lambda: len(set(workers_of(pair)) - before) == 2)
        os.kill(victim := max(set(workers_of(pair)) - before), signal.SIGKILL)
        outgoing = {victim, *before}
        until(
            lambda: len(workers_of(pair)) == 2 and not outgoing & set(workers_of(pair)),
            EXCHANGE_SECONDS,
        )
        assert_answered_again(client)
