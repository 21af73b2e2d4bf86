"""No token is good but one that a key of ours has signed as it signs."""

from collections.abc import Callable
from uuid import UUID, uuid4

import jwt
import pytest
from flask import Flask
from sqlalchemy import select

from stockroom.auth.models import SigningKey
from stockroom.core.transaction import reading
from tests.auth.signing_keys.keys import (
    FIRST,
    NOT_KEYS,
    app_secret,
    assert_refused,
    resigned,
    rotate,
    secret_of,
    with_header,
    works,
)
from tests.factories.users import make_user, token_for


@pytest.mark.parametrize("named", NOT_KEYS, ids=lambda named: repr(named)[:30])
def test_a_key_that_is_none_is_refused(app: Flask, named: object) -> None:
    assert_refused(app, with_header(app, token_for(app, make_user(app)), kid=named))


def test_a_foreign_key_is_refused_whatever_it_is_called(app: Flask) -> None:
    token = token_for(app, make_user(app))
    for named in (FIRST, rotate(app), uuid4().hex):
        assert_refused(app, resigned(token, b"a key of somebody else, quite long", kid=named))


def test_a_token_of_one_key_cannot_name_another(app: Flask) -> None:
    token = token_for(app, make_user(app))
    second, third = rotate(app), rotate(app)
    for signer, named in ((FIRST, second), (second, third), (third, second), (second, FIRST)):
        forged = resigned(token, secret_of(app, signer), kid=named)
        assert_refused(app, forged)
    assert works(app, resigned(token, secret_of(app, third), kid=third))


def test_the_setting_alone_signs_nothing_once_its_key_is_void(app: Flask) -> None:
    token = token_for(app, make_user(app))
    named = rotate(app, revoke=True)
    for header in ({}, {"kid": FIRST}, {"kid": named}):
        assert_refused(app, resigned(token, app_secret(app).encode(), **header))


def test_the_database_alone_signs_nothing(app: Flask) -> None:
    token = token_for(app, make_user(app))
    named = rotate(app)
    with app.app_context(), reading() as session:
        salt = session.scalars(select(SigningKey.salt).where(SigningKey.id == UUID(named))).one()
    assert salt
    assert_refused(app, resigned(token, salt, kid=named))


@pytest.mark.parametrize("algorithm", ["none", "None", "HS512", "RS256", "", 7])
def test_a_key_that_exists_does_not_choose_the_algorithm(app: Flask, algorithm: object) -> None:
    token = token_for(app, make_user(app))
    for named in (FIRST, rotate(app)):
        assert_refused(app, with_header(app, token, alg=algorithm, kid=named))
        assert_refused(
            app, with_header(app, token, alg=algorithm, kid=named).rpartition(".")[0] + "."
        )


def test_a_longer_hash_with_a_key_of_ours_is_refused(app: Flask) -> None:
    token = token_for(app, make_user(app))
    named = rotate(app)
    claims = jwt.decode(token, options={"verify_signature": False})
    with pytest.warns(jwt.warnings.InsecureKeyLengthWarning):
        forged = jwt.encode(claims, secret_of(app, named), "HS512", headers={"kid": named})
    assert_refused(app, forged)


def test_a_new_setting_voids_the_tokens_of_every_key(
    app: Flask, make_app: Callable[..., Flask]
) -> None:
    user = make_user(app)
    first = token_for(app, user)
    rotate(app)
    other = make_app(jwt_secret_key="the new secret of this installation")
    assert_refused(other, first)
    assert_refused(other, token_for(app, user))
