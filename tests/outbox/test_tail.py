"""``flask events tail``: events as they happen, on a terminal or in a pipe."""

import json
import os
import re
import select
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from uuid import uuid4

import psycopg2
import pytest
from flask import Flask
from psycopg2 import sql

from stockroom.config import ROOT, Settings
from stockroom.outbox.errors import EventsExpired
from stockroom.outbox.filters import EventFilters
from stockroom.outbox.tailing import Follower, compact, line
from stockroom.outbox.types import EventType
from tests.contract.web import environment
from tests.factories.products import make_product
from tests.outbox.events import record_some, relay_all
from tests.servers import Servers
from tests.threads import PATIENCE_SECONDS, until

EVENT = {
    "position": 7,
    "type": "product.created",
    "subject": "0190163d-8694-739b-aea5-966c26f8ad91",
    "occurred_at": "2026-11-25T03:22:31.646083+00:00",
    "actor": "0190163d-8694-739b-aea5-000000000001",
    "data": {"sku": "MUG"},
}


# As a terminal starts a command: what is started in the background of a script, as the tests
# may be, ignores Ctrl-C, and so does all that it starts itself.
FLASK = """
import signal
signal.signal(signal.SIGINT, signal.default_int_handler)
from flask.cli import main
main()
"""


@contextmanager
def start(settings: Settings, *options: str, output: int) -> Iterator[subprocess.Popen[bytes]]:
    variables = {"PATH": os.environ["PATH"], "COLUMNS": "90", **environment(settings)}
    with subprocess.Popen(
        [sys.executable, "-c", FLASK, "events", "tail", *options],
        cwd=ROOT,
        env=variables,
        stdout=output,
        stderr=subprocess.PIPE,
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def end(process: subprocess.Popen[bytes], signal_number: int) -> tuple[int, bytes]:
    """Its status, and what it has said on its standard error."""
    process.send_signal(signal_number)
    _, said = process.communicate(timeout=PATIENCE_SECONDS)
    return process.returncode, said


def read_line(terminal: int) -> str:
    """The next line that is shown there."""
    shown = b""
    while not shown.endswith(b"\n"):
        assert select.select([terminal], [], [], PATIENCE_SECONDS)[0], shown
        shown += os.read(terminal, 4096)
    return shown.decode().rstrip("\r\n")


def test_on_a_terminal_it_follows_in_colour_until_ctrl_c(app: Flask, settings: Settings) -> None:
    make_product(app, name="Before")
    relay_all(app)
    terminal, its_end = os.openpty()
    with start(settings, "--after", "0", output=its_end) as process:
        os.close(its_end)
        before = read_line(terminal)
        make_product(app, name="Meanwhile")
        relay_all(app)
        meanwhile = read_line(terminal)
        assert end(process, signal.SIGINT) == (0, b"")
    os.close(terminal)
    assert before.startswith("     1  20")
    assert meanwhile.startswith("     2  20")
    assert "\x1b[36mproduct.created\x1b[0m" in meanwhile
    assert len(meanwhile) == 90 + len("\x1b[36m\x1b[0m")


@pytest.mark.heavy
def test_in_a_pipe_each_line_is_a_document(app: Flask, settings: Settings) -> None:
    record_some(app)
    relay_all(app)
    with start(settings, "--json", "--after", "0", output=subprocess.PIPE) as process:
        assert process.stdout is not None
        first = json.loads(process.stdout.readline())
        record_some(app)
        relay_all(app)
        second = json.loads(process.stdout.readline())
        assert [first["position"], second["position"]] == [1, 2]
        assert end(process, signal.SIGINT) == (0, b"")


@pytest.mark.heavy
@pytest.mark.parametrize("number", [0, 1])
def test_it_ends_quietly_when_nobody_reads_any_more(
    app: Flask, settings: Settings, number: int
) -> None:
    record_some(app)
    relay_all(app)
    with start(settings, "--after", "0", output=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline()
        process.stdout.close()
        record_some(app, number)
        relay_all(app)
        assert process.wait(PATIENCE_SECONDS) in {0, 1}
        assert process.stderr is not None
        assert process.stderr.read() == b""


# How it follows


def follow(after: int, *types: str) -> Callable[[], list[int | None]]:
    """What a follower sees each time that it is asked."""
    follower = Follower(after, EventFilters(types=types))
    return lambda: [event.position for event in follower.news()]


@pytest.mark.usefixtures("app_context")
def test_each_event_is_told_once(app: Flask) -> None:
    record_some(app, 2)
    relay_all(app)
    look = follow(0)
    assert (look(), look()) == ([1, 2], [])
    record_some(app)
    relay_all(app)
    assert (look(), look()) == ([3], [])


@pytest.mark.usefixtures("app_context")
def test_only_what_matches_is_told_however_far_apart_it_is(app: Flask) -> None:
    for _ in range(2):
        record_some(app, 250)
        record_some(app, event_type=EventType.USER_CREATED)
    relay_all(app)
    look = follow(0, "user.*")
    assert look() + look() == [251, 502]


@pytest.mark.usefixtures("app_context")
def test_a_position_ahead_of_all_events_is_not_waited_for(app: Flask) -> None:
    record_some(app)
    relay_all(app)
    with pytest.raises(EventsExpired):
        follow(2)()


@contextmanager
def closed(servers: dict[str, str], name: str) -> Iterator[None]:
    """The database lets nobody in, until the block ends."""
    server = psycopg2.connect(servers["postgres"].format("postgres"))
    server.autocommit = True
    let_in = sql.SQL("ALTER DATABASE {} ALLOW_CONNECTIONS {}")
    with server.cursor() as cursor:
        cursor.execute(let_in.format(sql.Identifier(name), sql.SQL("false")))
        cursor.execute(
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = %s",
            [name],
        )
        yield
        cursor.execute(let_in.format(sql.Identifier(name), sql.SQL("true")))
    server.close()


def test_a_database_that_goes_away_is_waited_for(
    servers: dict[str, str], make_app: Callable[..., Flask], capsys: pytest.CaptureFixture[str]
) -> None:
    name = f"tail_{uuid4().hex}"
    app = make_app(database_url=Servers.database(servers, name))
    with app.app_context():
        look = follow(0)
        record_some(app)
        relay_all(app)
        assert look() == [1]
        with closed(servers, name):
            assert (look(), look()) == ([], [])
        record_some(app)
        relay_all(app)
        until(lambda: look() == [2])
    assert capsys.readouterr().err == "The database does not answer. Waiting until it does.\n"


# What a line is


def test_a_line_tells_what_happened_when_to_what_by_whom() -> None:
    assert re.split("  +", line(EVENT).strip()) == [
        "7",
        "2026-11-25 03:22:31",
        "\x1b[36mproduct.created\x1b[0m",
        "0190163d-8694-739b-aea5-966c26f8ad91",
        "000000000001",
        '{"sku":"MUG"}',
    ]


def test_types_of_one_noun_have_one_colour() -> None:
    coloured = [line(EVENT | {"type": kind}).partition("\x1b[")[2][:2]
                for kind in ("user.created", "user.updated", "product.updated")]  # fmt: skip
    assert coloured[0] == coloured[1] != coloured[2]


def test_a_type_of_a_newer_version_is_shown_as_well() -> None:
    assert "  parcel.sent  " in line(EVENT | {"type": "parcel.sent"}).replace("\x1b[0m", "")


def test_what_would_steer_the_terminal_does_not_reach_it() -> None:
    shown = compact({"name": "é\x9b2J\u202e\x1b[1m"})
    assert shown == '{"name":"é\ufffd2J\ufffd\\u001b[1m"}'
