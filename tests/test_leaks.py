"""That the watch over secrets, which every test is under, would notice one."""

import pytest

from tests.api import Api
from tests.factories.users import PASSWORD
from tests.leaks import WATCH, Watch


@pytest.fixture
def watch() -> Watch:
    return Watch()


@pytest.mark.parametrize(
    "document",
    [
        {"password": "swordfish"},
        {"items": [{"key": "swordfish"}]},
        {"recovery_codes": ["another", "swordfish"]},
    ],
)
def test_a_secret_that_was_sent_is_found_in_a_line(watch: Watch, document: object) -> None:
    watch.see(document)
    lines = ["all is well", "they said swordfish to me"]
    assert watch.found_in(lines) == lines[1:]


@pytest.mark.parametrize(
    "secret",
    [
        "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.c2lnbmF0dXJl",
        "$argon2id$v=19$m=8,t=1,p=1$c29tZXNhbHQ$aGFzaGhhc2g",
        "sr_" + "x" * 49,
    ],
)
def test_what_looks_like_a_secret_is_found_whoever_sent_it(watch: Watch, secret: str) -> None:
    assert watch.found_in([f"got {secret}."])


def test_what_is_no_secret_is_not_found(watch: Watch) -> None:
    watch.see({"email": "ada@example.com", "code": "123456", "token_type": "bearer"})
    assert watch.found_in(["ada@example.com 123456 bearer"]) == []


def test_the_client_shows_what_it_sends_and_gets(nobody: Api) -> None:
    credentials = {"email": "ada@example.com", "password": PASSWORD}
    assert nobody.post("/auth/register", json=credentials).status_code == 201
    answer = nobody.post("/auth/login", json=credentials).get_json()
    assert WATCH.found_in([PASSWORD]) == [PASSWORD]
    assert WATCH.found_in([answer["refresh_token"]]) == [answer["refresh_token"]]
