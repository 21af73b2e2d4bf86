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


@pytest.fixture
def browser(site: Site) -> Iterator[Browser]:
    with browsing(site.web) as browser:
        yield browser


@pytest.fixture
def phone(site: Site) -> Phone:
    return Phone(site.web)


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


def test_from_the_registration_to_the_removal(
    site: Site, post_office: PostOffice, browser: Browser, phone: Phone
) -> None:
    credentials = {"email": ADA, "password": PASSWORD}

    # She registers, and proves her address by the mail that arrives.
    assert phone.call("POST", "/auth/register", credentials).status == 201
    assert phone.log_in(**credentials).kind == "email-not-verified"
    token = token_in(post_office, "Verify your address for Stockroom")
    assert phone.call("POST", "/auth/verify-email", {"token": token}).status == 204

    # She logs in in her browser, whose scripts cannot read what lets her in.
    assert browser.log_in(**credentials).status == 204
    assert "access_token" not in browser.page.evaluate("document.cookie")
    assert browser.call("GET", "/users/me").json["email_verified"] is True

    # She switches on a second factor, with a code computed from the URI.
    authenticator = Authenticator(browser.call("POST", "/auth/totp").json["otpauth_uri"])
    confirmed = browser.call("POST", "/auth/totp/confirm", {"code": authenticator.code()})
    recovery_codes = confirmed.json["recovery_codes"]

    # Her phone needs a code from then on; the one that she has used is no good any more.
    assert phone.log_in(**credentials).kind == "second-factor-required"
    assert phone.log_in(**credentials, code=authenticator.code(1)).status == 200
    assert phone.call("GET", "/users/me").status == 200

    # She forgets her password, and chooses another one: every device is signed out.
    assert phone.call("POST", "/auth/password/forgot", {"email": ADA}).status == 202
    token = token_in(post_office, "Choose a new password for Stockroom")
    reset = {"token": token, "new_password": NEW}
    assert phone.call("POST", "/auth/password/reset", reset).status == 204
    assert phone.call("POST", "/auth/password/reset", reset).kind == "invalid-mailed-token"
    assert phone.call("GET", "/users/me").status == 401
    assert browser.call("GET", "/users/me").status == 401
    assert browser.log_in(**credentials, code=recovery_codes[0]).kind == "bad-credentials"

    # She logs in with it, and makes a key for her till.
    credentials["password"] = NEW
    assert browser.log_in(**credentials, code=recovery_codes[0]).status == 204
    made = browser.call("POST", "/auth/api-keys", {"name": "Till", "scopes": ["account:own"]})
    till = Phone(site.web, {"X-API-Key": made.json["key"]})
    assert till.call("GET", "/users/me").json["email"] == ADA
    assert till.call("GET", "/auth/sessions").kind == "permission-denied"

    # She takes her data out, and leaves.
    parts = browser.call("GET", "/users/me/export").json["parts"]
    assert [key["name"] for key in parts["api_keys"]] == ["Till"]
    assert parts["second_factor"]["recovery_codes_left"] == 9
    assert {"user.registered", "user.password_reset"} <= {it["type"] for it in parts["events"]}
    assert browser.call("DELETE", "/users/me", **{"If-Match": "*"}).status == 204

    # Nothing lets anybody in any more, and nothing tells of her.
    assert browser.call("GET", "/users/me").status == 401
    assert till.call("GET", "/users/me").status == 401
    assert phone.log_in(**credentials, code=recovery_codes[1]).kind == "bad-credentials"
    with site.app.app_context():
        rows = all_rows(db.engine)
    assert not [row for row in rows if ADA in row]
    assert site.settings.log_file is not None
    assert WATCH.found_in([*rows, *site.settings.log_file.read_text().splitlines()]) == []
