"""``/docs`` in a real browser: every operation is there, and can be tried."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Locator, Page

from stockroom.core.permissions import Role
from tests.contract import fuzzing
from tests.contract.browser import needs_browser, open_browser
from tests.contract.conftest import Site
from tests.factories.users import PASSWORD, make_user

REMEMBER_VIOLATIONS = """
    window.violations = [];
    window.addEventListener("securitypolicyviolation", (event) => {
        window.violations.push(`${event.violatedDirective}: ${event.blockedURI}`);
    });
"""

pytestmark = needs_browser


class Visit:
    """A page that was opened, and what the browser complained of since."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self._complaints: list[str] = []
        page.add_init_script(REMEMBER_VIOLATIONS)
        page.on("pageerror", lambda error: self._complaints.append(str(error)))
        page.on("requestfailed", lambda request: self._complaints.append(request.url))
        page.on(
            "console",
            lambda message: (
                self._complaints.append(message.text)
                if message.type in {"error", "warning"}
                else None
            ),
        )

    @property
    def complaints(self) -> list[str]:
        return [*self._complaints, *self.page.evaluate("window.violations")]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with open_browser() as browser:
        yield browser


@pytest.fixture
def visit(site: Site, browser: Browser) -> Iterator[Visit]:
    with browser.new_page(viewport={"width": 1200, "height": 900}) as page:
        visit = Visit(page)
        page.goto(f"{site.web.url}/docs")
        page.locator(".opblock").first.wait_for()
        yield visit


def test_the_page_shows_every_operation_of_the_document(visit: Visit, tmp_path: Path) -> None:
    shown = visit.page.locator(".opblock-summary-operation-id").all_inner_texts()
    visit.page.screenshot(path=tmp_path / "docs.png", full_page=True)
    assert sorted(shown) == sorted(fuzzing.operation_ids())
    assert visit.complaints == []


def test_an_administrator_logs_in_and_adds_a_product_on_the_page(
    site: Site, visit: Visit, tmp_path: Path
) -> None:
    admin = make_user(site.app, role=Role.ADMIN)
    _authorize(visit.page, admin.email, PASSWORD)
    operation = visit.page.locator("#operations-products-create_product")
    assert _try_out(operation) == "201"
    visit.page.screenshot(path=tmp_path / "tried.png")
    assert site.web.get("/api/v1/products/by-sku/mug-blue").status == 200
    assert visit.complaints == []


def test_the_page_of_a_problem_has_its_style(site: Site, visit: Visit) -> None:
    visit.page.goto(f"{site.web.url}/problems/events-expired")
    width = visit.page.locator("main").evaluate("element => element.getBoundingClientRect().width")
    assert width < 700
    assert visit.complaints == []


def _authorize(page: Page, email: str, password: str) -> None:
    page.locator(".btn.authorize").click()
    page.locator("#oauth_username").fill(email)
    page.locator("#oauth_password").fill(password)
    page.get_by_role("button", name="Apply given OAuth2 credentials").click()
    page.get_by_role("button", name="Remove authorization").wait_for()
    page.locator(".close-modal").click()


def _try_out(operation: Locator) -> str:
    """Send the example that the page offers; the status of the answer that it shows."""
    operation.locator(".opblock-summary-control").click()
    operation.get_by_role("button", name="Try it out").click()
    operation.get_by_role("button", name="Execute").click()
    return operation.locator(".live-responses-table .response-col_status").last.inner_text().strip()
