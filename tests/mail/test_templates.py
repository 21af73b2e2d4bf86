"""Every mail that a feature has can be written, in text and in HTML."""

from pathlib import Path

import pytest
from jinja2 import UndefinedError

import stockroom
from stockroom.mail.rendering import render

ROOT = Path(stockroom.__file__).parent
TEMPLATES = sorted(f"{path.parents[1].name}/{path.stem}" for path in ROOT.glob("*/mails/*.txt"))
PARAMS = {
    "auth/login_blocked": {"address": "192.0.2.7"},
    "api_keys/created": {
        "name": "Till 3",
        "prefix": "sr_x7Kd2",
        "scopes": "catalogue:export",
        "expires": "never",
        "address": "192.0.2.7",
    },
    "auth/password_changed": {"address": "192.0.2.7"},
    "auth/token_reused": {"device": "Shop/1.0", "address": "192.0.2.7"},
    "mail/test": {},
    "second_factor/disabled": {"address": "192.0.2.7"},
    "second_factor/enabled": {"address": "192.0.2.7"},
    "second_factor/recovery_code_used": {"address": "192.0.2.7", "left": "9"},
    "users/email_changed": {},
    "verification/address_taken": {"asked_from": "192.0.2.7"},
    "verification/change": {"asked_from": "192.0.2.7", "token": "t0ken", "link": ""},
    "verification/change_announced": {"asked_from": "192.0.2.7"},
    "verification/changed": {"asked_from": "192.0.2.7"},
    "verification/reset": {"asked_from": "192.0.2.7", "token": "t0ken", "link": ""},
    "verification/verify": {"asked_from": "192.0.2.7", "token": "t0ken", "link": ""},
    "webhooks/disabled": {"host": "hooks.example", "reason": "<gone>", "webhook_id": "1"},
}


def test_every_template_is_tried_here() -> None:
    assert set(TEMPLATES) == PARAMS.keys()


@pytest.mark.parametrize("template", TEMPLATES)
def test_a_template_says_all_it_has_to(template: str) -> None:
    letter = render(template, {"base_url": "https://shop.example", **PARAMS[template]})
    assert letter.subject
    assert "https://shop.example" in letter.text
    assert "https://shop.example" in letter.html
    assert "Subject:" not in letter.text


def test_what_comes_from_others_is_not_taken_for_html() -> None:
    params = {"base_url": "https://shop.example", **PARAMS["webhooks/disabled"]}
    letter = render("webhooks/disabled", params)
    assert "&lt;gone&gt;" in letter.html
    assert "<gone>" in letter.text


def test_a_subject_is_one_line() -> None:
    params = {"base_url": "", **PARAMS["webhooks/disabled"], "host": "a\nBcc: eve@example.com"}
    assert "\n" not in render("webhooks/disabled", params).subject


def test_what_is_not_given_is_not_left_blank() -> None:
    with pytest.raises(UndefinedError):
        render("webhooks/disabled", {"base_url": ""})
