"""The clients in docs/realtime.md do what the page says, word for word."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Page
from sqlalchemy import delete

from stockroom.core.transaction import transaction
from stockroom.outbox.models import Event
from tests.contract.browser import needs_browser, open_browser
from tests.stream.clients import Live
from tests.stream.pages import BLOCKS

START = """
    async ([module, name, options]) => {
        window.seen = [];
        window.expired = null;
        const client = (await import(module))[name];
        client({
            ...options,
            token: () => options.token,
            onEvent: (event) => window.seen.push(event.position),
            onExpired: (position) => { window.expired = position; },
        });
    }
"""


@pytest.fixture(scope="module")
def page(origin: str) -> Iterator[Page]:
    with open_browser() as browser:
        yield browser.new_page()


def begin(page: Page, live: Live, origin: str, name: str, position: int) -> None:
    """Let the page follow by one of its scripts."""
    page.goto(f"{origin}/index.html")
    options = {
        "api": f"{live.site.web.url}/api/v1",
        "token": live.token,
        "position": position,
        "types": "product.*",
    }
    page.evaluate(START, [f"./{name}.js", name, options])


@needs_browser
@pytest.mark.parametrize("name", ["follow", pytest.param("stream", marks=pytest.mark.heavy)])
def test_the_browser_follows_and_resumes_after_a_restart(
    page: Page, live: Live, origin: str, name: str
) -> None:
    start = live.now()
    live.make_products(2)
    begin(page, live, origin, name, start)
    page.wait_for_function("window.seen.length == 2")
    live.restart()
    live.make_products(3)
    page.wait_for_function("window.seen.length >= 5")
    assert page.evaluate("window.seen") == list(range(start + 1, start + 6))


@needs_browser
def test_the_browser_learns_that_its_position_has_expired(
    page: Page, live: Live, origin: str
) -> None:
    start = live.now()
    live.make_products(2)
    end = live.now()
    with live.site.app.app_context(), transaction() as session:
        session.execute(delete(Event).where(Event.position < end))
    begin(page, live, origin, "follow", start)
    page.wait_for_function("window.expired !== null")
    assert page.evaluate("window.expired") == end


@pytest.mark.heavy
def test_the_python_client_follows_and_resumes_after_a_restart(live: Live, tmp_path: Path) -> None:
    with _python_client(live, tmp_path) as client:
        start = live.now()
        live.make_products(1, sku="BEFORE-1")
        assert _line_about(client, "BEFORE-1") == f"{start + 1} product.created BEFORE-1"
        live.restart()
        live.make_products(1, sku="AFTER-1")
        assert _line_about(client, "AFTER-1") == f"{start + 2} product.created AFTER-1"


@contextmanager
def _python_client(live: Live, folder: Path) -> Iterator[subprocess.Popen[str]]:
    (folder / "follow.py").write_text(BLOCKS["follow.py"])
    environment = {
        "PATH": os.environ["PATH"],
        "API": f"{live.site.web.url}/api/v1",
        "TOKEN": live.token,
    }
    with subprocess.Popen(
        [sys.executable, "-u", "follow.py"],
        cwd=folder,
        env=environment,
        stdout=subprocess.PIPE,
        text=True,
    ) as client:
        yield client
        client.terminate()


def _line_about(client: subprocess.Popen[str], sku: str) -> str:
    """The next line that the client prints on a product."""
    assert client.stdout
    return next(line.strip() for line in client.stdout if sku in line)
