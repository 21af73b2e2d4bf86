"""Recovery codes stand in for a second factor, each of them once."""

from collections.abc import Callable

import pytest
from flask import Flask

from tests.api import Api, assert_problem
from tests.factories.users import make_user
from tests.outbox.events import types_of
from tests.second_factor.authenticator import Owner
from tests.second_factor.mailbox import mails_to


def test_a_recovery_code_is_good_once(app: Flask, owner: Owner, nobody: Api) -> None:
    credentials = owner.credentials(owner.recovery_codes[3])
    assert nobody.post("/auth/login", json=credentials).status_code == 200
    assert_problem(nobody.post("/auth/login", json=credentials), 401, "bad-code")
    assert owner.api.get("/auth/totp").get_json()["recovery_codes_left"] == 9
    assert "user.recovery_code_used" in types_of(app, owner.user.id)
    assert "second_factor/recovery_code_used" in mails_to(app, owner.user)


@pytest.mark.parametrize(
    "spell", [str.upper, lambda code: code.replace("-", ""), lambda code: code.replace("-", " ")]
)
def test_a_recovery_code_may_be_spelled_as_one_reads_it(
    owner: Owner, nobody: Api, spell: Callable[[str], str]
) -> None:
    credentials = owner.credentials(spell(owner.recovery_codes[0]))
    assert nobody.post("/auth/login", json=credentials).status_code == 200


def test_new_recovery_codes_replace_the_old_ones(owner: Owner, nobody: Api) -> None:
    new = owner.api.post("/auth/totp/recovery-codes").get_json()["recovery_codes"]
    assert not {*new} & {*owner.recovery_codes}
    old = nobody.post("/auth/login", json=owner.credentials(owner.recovery_codes[0]))
    assert_problem(old, 401, "bad-code")
    assert nobody.post("/auth/login", json=owner.credentials(new[0])).status_code == 200


def test_the_recovery_code_of_another_account_is_no_good(
    app: Flask, owner: Owner, nobody: Api
) -> None:
    other = Owner(app, make_user(app))
    refused = nobody.post("/auth/login", json=owner.credentials(other.recovery_codes[0]))
    assert_problem(refused, 401, "bad-code")
