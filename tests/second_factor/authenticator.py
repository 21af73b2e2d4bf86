"""An authenticator, as a person has it on a phone."""

from typing import Any
from urllib.parse import parse_qs, urlsplit

from flask import Flask
from pyotp import TOTP
from sqlalchemy import update

from stockroom.core.database import now
from stockroom.core.transaction import transaction
from stockroom.second_factor.codes import STEP_SECONDS
from stockroom.second_factor.models import SecondFactor
from stockroom.users.models import User
from tests.api import Api
from tests.factories.users import PASSWORD, token_for


class Authenticator:
    """Makes the codes of a secret that it has read from an ``otpauth`` URI."""

    def __init__(self, otpauth_uri: str) -> None:
        self.secret = parse_qs(urlsplit(otpauth_uri).query)["secret"][0]
        self._totp = TOTP(self.secret)

    def code(self, steps: int = 0) -> str:
        """The code of this moment, or of some steps of half a minute later."""
        return self._totp.at(int(now().timestamp()) + steps * STEP_SECONDS)


class Owner:
    """An account whose second factor is in force."""

    def __init__(self, app: Flask, user: User) -> None:
        self._app = app
        self.user = user
        self.api = Api(app, token_for(app, user))
        setup = self.api.post("/auth/totp").get_json()
        self.authenticator = Authenticator(setup["otpauth_uri"])
        confirmed = self.api.post("/auth/totp/confirm", json={"code": self.authenticator.code()})
        self.recovery_codes: list[str] = confirmed.get_json()["recovery_codes"]

    def credentials(self, code: str | None = None) -> dict[str, Any]:
        credentials = {"email": self.user.email, "password": PASSWORD}
        return credentials if code is None else credentials | {"code": code}

    def forget_last_code(self) -> None:
        """As if the half minute of the code that was used last were long over."""
        long_ago = int(now().timestamp()) // STEP_SECONDS - 100
        with self._app.app_context(), transaction() as session:
            session.execute(update(SecondFactor).values(last_step=long_ago))
