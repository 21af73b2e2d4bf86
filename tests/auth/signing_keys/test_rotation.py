"""Keys are rotated, retired and revoked, and tokens go on as long as they may."""

from datetime import timedelta

import jwt
from flask import Flask

from stockroom.auth import signing
from stockroom.auth.models import FIRST_KEY_ID
from stockroom.core.database import now
from tests.api import Api
from tests.auth.signing_keys.keys import (
    FIRST,
    app_secret,
    assert_refused,
    change,
    kid,
    resigned,
    rotate,
    works,
)
from tests.factories.users import log_in, make_user, token_for


def test_at_first_the_setting_itself_signs(app: Flask) -> None:
    token = token_for(app, make_user(app))
    assert kid(token) == FIRST
    assert jwt.decode(token, app_secret(app), ["HS256"], audience="stockroom")


def test_a_token_of_the_version_before_names_no_key_and_works(app: Flask) -> None:
    token = token_for(app, make_user(app))
    old = resigned(token, app_secret(app).encode())
    assert "kid" not in jwt.get_unverified_header(old)
    rotate(app)
    assert works(app, old)


def test_after_a_rotation_new_tokens_name_the_new_key(app: Flask) -> None:
    user = make_user(app)
    key_id = rotate(app)
    tokens = log_in(app, user)
    assert {kid(tokens["access_token"]), kid(tokens["refresh_token"])} == {key_id}
    assert works(app, tokens["access_token"])


def test_tokens_from_before_a_rotation_go_on(app: Flask, nobody: Api) -> None:
    tokens = log_in(app, make_user(app))
    rotate(app)
    rotate(app)
    assert works(app, tokens["access_token"])
    body = {"refresh_token": tokens["refresh_token"]}
    renewed = nobody.post("/auth/refresh", json=body).get_json()
    assert kid(renewed["access_token"]) != FIRST
    assert works(app, renewed["access_token"])


def test_a_new_key_does_not_sign_before_every_process_knows_it(app: Flask) -> None:
    user = make_user(app)
    with app.app_context():
        key_id = signing.rotate().id
    assert kid(token_for(app, user)) == FIRST
    change(app, key_id, created_at=now() - timedelta(seconds=signing.SETTLING_SECONDS))
    assert kid(token_for(app, user)) == key_id.hex


def test_a_retired_key_verifies_until_its_tokens_have_run_out(app: Flask) -> None:
    rotate(app)
    with app.app_context():
        (_, first) = signing.list_keys()
    lasts = timedelta(days=30)
    assert first.retired_at
    assert first.expires_at
    assert lasts < first.expires_at - first.retired_at < lasts + timedelta(hours=1)


def test_a_second_rotation_makes_no_key_last_longer(app: Flask) -> None:
    rotate(app)
    with app.app_context():
        before = signing.list_keys()[-1].expires_at
    rotate(app)
    with app.app_context():
        assert signing.list_keys()[-1].expires_at == before


def test_a_retired_key_that_has_run_out_is_refused(app: Flask) -> None:
    tokens = log_in(app, make_user(app))
    rotate(app)
    change(app, FIRST_KEY_ID, expires_at=now() - timedelta(seconds=1))
    assert_refused(app, tokens["access_token"])
    assert_refused(app, tokens["refresh_token"])
    assert_refused(app, resigned(tokens["access_token"], app_secret(app).encode()))


def test_revoking_voids_all_tokens_at_once(app: Flask) -> None:
    user = make_user(app)
    oldest = token_for(app, user)
    rotate(app)
    older = token_for(app, user)
    with app.app_context():
        newest = signing.rotate(revoke=True).id.hex
    assert_refused(app, oldest)
    assert_refused(app, older)
    assert kid(token_for(app, user)) == newest
    assert works(app, token_for(app, user))
