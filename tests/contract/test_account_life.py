"""The whole life of an account, over HTTP: in a browser, on a phone, with mails that arrive."""

import re
from collections.abc import Iterator
from email.message import EmailMessage

import pytest

from stockroom.extensions import db
from tests.contract.browser import needs_browser
from tests.contract.conftest import OpenSite, Site
from tests.contract.devices import Browser, Phone, browsing
from tests.factories.users import PASSWORD
from tests.leaks import WATCH
from tests.mail.post import PostOffice
from tests.second_factor.authenticator import Authenticator
from tests.servers import all_rows
from tests.threads import until

ADA = "ada@example.com"
TOKEN = r"[\w-]{43}"
NEW = "quite another passphrase"

pytestmark = needs_browser


@pytest.fixture
def post_office() -> Iterator[PostOffice]:
    with PostOffice() as office:
        yield office


@pytest.fixture
def site(open_site: OpenSite, post_office: PostOffice) -> Iterator[Site]:
    url = f"smtp://127.0.0.1:{post_office.port}"
    with open_site(mail_url=url, login_needs_verified_email=True) as site:
        yield site


def token_in(office: PostOffice, subject: str) -> str:
    """The token in the one mail with this subject, once it has arrived."""

    def arrived() -> list[EmailMessage]:
        return [mail for mail in office.mails if mail["Subject"] == subject]

    until(arrived)
    (mail,) = arrived()
    assert mail["To"] == ADA
    body = mail.get_body(("plain",))
    assert body is not None
    (token,) = [line for line in body.get_content().splitlines() if re.fullmatch(TOKEN, line)]
    WATCH.add(token)
    return str(token)


class Ada:
    """Who lives it.

    :ivar credentials: what she logs in with, beside a code.
    """

    def __init__(self, site: Site, office: PostOffice, browser: Browser) -> None:
        self.site, self.office = site, office
        self.browser, self.phone = browser, Phone(site.web)
        self.credentials = {"email": ADA, "password": PASSWORD}

    def registers(self) -> None:
        """And proves her address by the mail that arrives."""
        assert self.phone.call("POST", "/auth/register", self.credentials).status == 201
        assert self.phone.log_in(**self.credentials).kind == "email-not-verified"
        token = token_in(self.office, "Verify your address for Stockroom")
        assert self.phone.call("POST", "/auth/verify-email", {"token": token}).status == 204

    def logs_in_in_her_browser(self) -> None:
        """Whose scripts cannot read what lets her in."""
        assert self.browser.log_in(**self.credentials).status == 204
        assert "access_token" not in self.browser.page.evaluate("document.cookie")
        assert self.browser.call("GET", "/users/me").json["email_verified"] is True

    def switches_on_a_second_factor(self) -> None:
        """With a code computed from the URI."""
        uri = self.browser.call("POST", "/auth/totp").json["otpauth_uri"]
        self.authenticator = Authenticator(uri)
        code = self.authenticator.code()
        confirmed = self.browser.call("POST", "/auth/totp/confirm", {"code": code})
        self.recovery_codes = confirmed.json["recovery_codes"]

    def logs_in_on_her_phone(self) -> None:
        """With another code: the one that she has used is no good any more."""
        assert self.phone.log_in(**self.credentials).kind == "second-factor-required"
        code = self.authenticator.code(1)
        assert self.phone.log_in(**self.credentials, code=code).status == 200
        assert self.phone.call("GET", "/users/me").status == 200

    def forgets_her_password(self) -> None:
        """And chooses another one: every device is signed out."""
        assert self.phone.call("POST", "/auth/password/forgot", {"email": ADA}).status == 202
        token = token_in(self.office, "Choose a new password for Stockroom")
        reset = {"token": token, "new_password": NEW}
        assert self.phone.call("POST", "/auth/password/reset", reset).status == 204
        assert self.phone.call("POST", "/auth/password/reset", reset).kind == "invalid-mailed-token"
        assert self.phone.call("GET", "/users/me").status == 401
        assert self.browser.call("GET", "/users/me").status == 401
        code = self.recovery_codes[0]
        assert self.browser.log_in(**self.credentials, code=code).kind == "bad-credentials"
        self.credentials["password"] = NEW

    def makes_a_key_for_her_till(self) -> None:
        code, key = self.recovery_codes[0], {"name": "Till", "scopes": ["account:own"]}
        assert self.browser.log_in(**self.credentials, code=code).status == 204
        made = self.browser.call("POST", "/auth/api-keys", key)
        self.till = Phone(self.site.web, {"X-API-Key": made.json["key"]})
        assert self.till.call("GET", "/users/me").json["email"] == ADA
        assert self.till.call("GET", "/auth/sessions").kind == "permission-denied"

    def takes_her_data_out_and_leaves(self) -> None:
        parts = self.browser.call("GET", "/users/me/export").json["parts"]
        assert [key["name"] for key in parts["api_keys"]] == ["Till"]
        assert parts["second_factor"]["recovery_codes_left"] == 9
        assert {"user.registered", "user.password_reset"} <= {it["type"] for it in parts["events"]}
        assert self.browser.call("DELETE", "/users/me", **{"If-Match": "*"}).status == 204

    def is_let_in_nowhere(self) -> None:
        assert self.browser.call("GET", "/users/me").status == 401
        assert self.till.call("GET", "/users/me").status == 401
        code = self.recovery_codes[1]
        assert self.phone.log_in(**self.credentials, code=code).kind == "bad-credentials"


@pytest.fixture
def ada(site: Site, post_office: PostOffice) -> Iterator[Ada]:
    with browsing(site.web) as browser:
        yield Ada(site, post_office, browser)


def test_from_the_registration_to_the_removal(ada: Ada) -> None:
    ada.registers()
    ada.logs_in_in_her_browser()
    ada.switches_on_a_second_factor()
    ada.logs_in_on_her_phone()
    ada.forgets_her_password()
    ada.makes_a_key_for_her_till()
    ada.takes_her_data_out_and_leaves()
    ada.is_let_in_nowhere()
    assert_nothing_tells_of_her(ada.site)


def assert_nothing_tells_of_her(site: Site) -> None:
    with site.app.app_context():
        rows = all_rows(db.engine)
    assert not [row for row in rows if ADA in row]
    assert site.settings.log_file is not None
    assert WATCH.found_in([*rows, *site.settings.log_file.read_text().splitlines()]) == []
