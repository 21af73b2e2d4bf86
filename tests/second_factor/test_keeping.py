"""A second factor is kept encrypted, switched off, exported and forgotten."""

from collections.abc import Callable

from flask import Flask
from sqlalchemy import select

from stockroom.core.transaction import reading
from stockroom.second_factor.models import RecoveryCode, SecondFactor
from tests.api import Api, assert_problem
from tests.outbox.events import types_of
from tests.second_factor.authenticator import Owner
from tests.second_factor.mailbox import mails_to


def test_neither_secret_nor_recovery_codes_are_stored_as_they_are(app: Flask, owner: Owner) -> None:
    with app.app_context(), reading() as session:
        kept = [*session.scalars(select(SecondFactor.secret))]
        kept += session.scalars(select(RecoveryCode.digest))
    for secret in (owner.authenticator.secret, *owner.recovery_codes):
        assert not any(secret in it or secret.replace("-", "") in it for it in kept)


def test_switched_off_it_is_not_asked_for_any_more(app: Flask, owner: Owner, nobody: Api) -> None:
    assert owner.api.delete("/auth/totp").status_code == 204
    assert nobody.post("/auth/login", json=owner.credentials()).status_code == 200
    assert_problem(owner.api.delete("/auth/totp"), 404, "no-second-factor")
    assert "user.second_factor_disabled" in types_of(app, owner.user.id)
    assert mails_to(app, owner.user)[-1] == "second_factor/disabled"


def test_an_administrator_helps_who_has_lost_it(app: Flask, owner: Owner, nobody: Api) -> None:
    args = ["users", "reset-second-factor", owner.user.email]
    assert app.test_cli_runner().invoke(args=args).exit_code == 0
    assert_problem(owner.api.get("/users/me"), 401, "unauthenticated")
    assert nobody.post("/auth/login", json=owner.credentials()).status_code == 200
    again = app.test_cli_runner().invoke(args=args)
    assert (again.exit_code, again.output) == (1, "Error: No second factor\n")


def test_an_export_tells_of_it_and_a_removal_forgets_it(app: Flask, owner: Owner) -> None:
    part = owner.api.get("/users/me/export").get_json()["parts"]["second_factor"]
    assert part["recovery_codes_left"] == 10
    assert owner.api.delete("/users/me", if_match="*").status_code == 204
    with app.app_context(), reading() as session:
        assert session.scalars(select(SecondFactor)).all() == []
        assert session.scalars(select(RecoveryCode)).all() == []


def test_a_secret_outlives_its_key_once_it_is_encrypted_anew(
    app: Flask, owner: Owner, make_app: Callable[..., Flask]
) -> None:
    from cryptography.fernet import Fernet

    from stockroom.config import Settings

    settings: Settings = app.extensions["stockroom.settings"]
    keys = [Fernet.generate_key().decode(), *settings.encryption_keys]
    run = make_app(encryption_keys=keys).test_cli_runner().invoke
    assert "second factors: 1" in run(args=["secrets", "reencrypt"]).output
    newest = Api(make_app(encryption_keys=keys[:1]))
    login = newest.post("/auth/login", json=owner.credentials(owner.authenticator.code()))
    assert login.status_code == 200
