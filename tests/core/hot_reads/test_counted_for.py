"""Who may read before Flask is asked: whoever was let in is let out again within a second."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from flask import Flask

from stockroom.auth import sessions, signing
from stockroom.auth.signing import key_ring
from tests.api import Api
from tests.factories.products import make_product
from tests.factories.users import make_user, token_for
from tests.threads import until

MakeApp = Callable[..., Flask]


def test_a_session_that_has_ended_reads_for_a_second_at_most(app: Flask) -> None:
    user = make_user(app)
    reader, path = Api(app, token_for(app, user)), f"/products/{make_product(app).id}"
    for _ in range(2):
        assert reader.get(path).status_code == 200
    with app.app_context():
        sessions.end_all_sessions(user.id)
    assert reader.get("/users/me").status_code == 401
    until(lambda: reader.get(path).status_code == 401)


def test_a_token_whose_key_was_revoked_reads_for_a_second_at_most(app: Flask) -> None:
    reader = Api(app, token_for(app, make_user(app)))
    path = f"/products/{make_product(app).id}"
    for _ in range(2):
        assert reader.get(path).status_code == 200
    with app.app_context():
        signing.rotate(revoke=True)
        key_ring().forget()
    until(lambda: reader.get(path).status_code == 401)


def test_a_token_that_has_expired_reads_no_more(make_app: MakeApp, app: Flask) -> None:
    shop = make_app()
    shop.config.update(JWT_ACCESS_TOKEN_EXPIRES=timedelta(seconds=2), JWT_DECODE_LEEWAY=0)
    reader, path = Api(shop, token_for(shop, make_user(app))), f"/products/{make_product(app).id}"
    assert reader.get(path).status_code == 200
    until(lambda: reader.get(path).status_code == 401)


@pytest.mark.parametrize("header", ["Bearer x", "Bearer ", "Basic eDp4", "bearer", "Bearer a b"])
def test_a_token_that_is_none_is_refused(app: Flask, nobody: Api, header: str) -> None:
    path = f"/products/{make_product(app).id}"
    nobody.get(path)
    assert nobody.get(path, headers={"Authorization": header}).status_code == 401
