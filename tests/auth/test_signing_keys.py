"""Signing keys: exchanged while tokens live, and no way in for who names another one."""

import hmac
import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import jwt
import pytest
from click.testing import Result
from flask import Flask
from jwt.utils import base64url_encode
from sqlalchemy import select, update

from stockroom.auth import signing
from stockroom.auth.models import FIRST_KEY_ID, SigningKey
from stockroom.auth.signing import KeyRing, current_key, find_key, key_ring
from stockroom.core.database import now
from stockroom.core.transaction import reading, transaction
from stockroom.outbox.models import Event
from stockroom.outbox.types import EventType
from tests.api import Api, assert_problem
from tests.factories.users import log_in, make_user, token_for
from tests.statements import statements
from tests.threads import at_once

FIRST = FIRST_KEY_ID.hex
NOT_KEYS = [
    7, None, True, 0.5, [], [FIRST], {}, {"kid": FIRST}, "", "x", "0", str(FIRST_KEY_ID),
    f"{{{FIRST}}}", FIRST + " ", FIRST + "\0", "../../../../dev/null", "' OR 1=1 --", "é",
    "http://127.0.0.1:1/", "0" * 1500, "f" * 32,
]  # fmt: skip


def rotate(app: Flask, *, revoke: bool = False) -> str:
    """Rotate the keys long enough ago for the new one to sign; returns its id."""
    with app.app_context():
        key_id = signing.rotate(revoke=revoke).id
    change(app, key_id, created_at=now() - timedelta(seconds=signing.SETTLING_SECONDS))
    return key_id.hex


def change(app: Flask, key_id: UUID, **values: Any) -> None:
    with app.app_context():
        with transaction() as session:
            session.execute(update(SigningKey).where(SigningKey.id == key_id).values(**values))
        key_ring().forget()


def app_secret(app: Flask) -> str:
    secret: str = app.extensions["stockroom.settings"].jwt_secret_key
    return secret


def secret_of(app: Flask, key_id: str) -> bytes:
    with app.app_context():
        return key_ring().keys()[key_id].secret


def kid(token: str) -> str:
    named: str = jwt.get_unverified_header(token)["kid"]
    return named


def resigned(token: str, secret: bytes, **header: Any) -> str:
    """The token's claims under another header and key."""
    claims = jwt.decode(token, options={"verify_signature": False})
    return jwt.encode(claims, secret, "HS256", headers=header)


def with_header(app: Flask, token: str, **header: Any) -> str:
    """The token under a header that no library would write, signed by the first key."""
    text = json.dumps({"alg": "HS256", "typ": "JWT", **header}).encode()
    signed = f"{base64url_encode(text).decode()}.{token.split('.')[1]}"
    signature = hmac.digest(app_secret(app).encode(), signed.encode(), "sha256")
    return f"{signed}.{base64url_encode(signature).decode()}"


def assert_refused(app: Flask, token: str) -> None:
    for path in ("/users/me", "/products"):
        assert_problem(Api(app, token).get(path), 401, "unauthenticated")
    body = {"refresh_token": token}
    assert_problem(Api(app).post("/auth/refresh", json=body), 401, "invalid-refresh-token")


def works(app: Flask, token: str) -> bool:
    return Api(app, token).get("/users/me").status_code == 200


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


def test_another_process_takes_tokens_of_a_key_that_it_has_not_read(
    app: Flask, make_app: Callable[..., Flask], monkeypatch: pytest.MonkeyPatch
) -> None:
    user, other = make_user(app), make_app()
    assert works(other, token_for(app, user))
    rotate(app, revoke=True)
    # As if a second had passed since the other one has read the keys.
    monkeypatch.setattr(signing, "SOONEST_RELOAD_SECONDS", 0)
    assert works(other, token_for(app, user))


def test_another_process_learns_of_a_rotation_by_itself(
    app: Flask, make_app: Callable[..., Flask], monkeypatch: pytest.MonkeyPatch
) -> None:
    user, other = make_user(app), make_app()
    old = token_for(other, user)
    assert works(other, old)
    key_id = rotate(app, revoke=True)
    monkeypatch.setattr(KeyRing.keys, "__defaults__", (0,))
    assert_refused(other, old)
    assert kid(token_for(other, user)) == key_id


def test_a_request_costs_one_query_for_its_session_and_none_for_its_key(
    app: Flask, make_app: Callable[..., Flask]
) -> None:
    rotate(app)
    # Where nothing is prepared, each query is sent as it is.
    shop = make_app(database_prepare=False)
    api = Api(shop, token_for(shop, make_user(app)))
    api.get("/users/me")
    with statements(shop) as seen:
        assert api.get("/users/me").status_code == 200
    assert not [statement for statement in seen if "signing_keys" in statement]
    assert len([statement for statement in seen if "JOIN sessions" in statement]) == 1


def test_keys_that_nobody_knows_do_not_cost_a_query_each(app: Flask) -> None:
    token = token_for(app, make_user(app))
    forged = [with_header(app, token, kid=uuid4().hex) for _ in range(30)]
    with statements(app) as seen:
        statuses = {Api(app, text).get("/products").status_code for text in forged}
    assert statuses == {401}
    assert len(seen) <= 2


def test_while_one_thread_reads_the_keys_the_others_go_on(app: Flask) -> None:
    with app.app_context():
        ring = KeyRing()
        known = ring.keys()
        with ring._turn:  # noqa: SLF001 - as held by a thread that reads
            assert ring.keys(0) is known
        assert ring.keys(0) is not known


def test_rotations_at_once_come_one_after_the_other(app: Flask) -> None:
    def act(_: int) -> UUID:
        with app.app_context():
            return signing.rotate().id

    made = at_once(act, range(8))
    with app.app_context():
        keys = signing.list_keys()
    assert {key.id for key in keys} == {*made, FIRST_KEY_ID}
    assert [key.retired_at is None for key in keys].count(True) == 1


def test_a_rotation_is_an_event_without_a_secret(app: Flask) -> None:
    key_id = rotate(app)
    with app.app_context(), reading() as session:
        of_type = Event.type == EventType.SIGNING_KEY_ROTATED
        (rotated,) = session.scalars(select(Event).where(of_type))
    assert (rotated.subject.hex, rotated.data) == (key_id, {"revoked": False})


def test_the_representation_of_a_key_tells_no_secret(app: Flask) -> None:
    with app.app_context():
        assert "secret" not in repr(current_key())
        assert find_key(FIRST) == current_key()


def run(app: Flask, *arguments: str) -> Result:
    return app.test_cli_runner().invoke(args=["auth", *arguments])


def test_the_command_rotates(app: Flask) -> None:
    result = run(app, "rotate-keys")
    with app.app_context():
        newest = signing.list_keys()[0].id.hex
    assert (result.exit_code, result.output) == (
        0,
        f"Key {newest} signs in 10 s; others still verify.\n",
    )


def test_the_command_revokes(app: Flask) -> None:
    token = token_for(app, make_user(app))
    result = run(app, "rotate-keys", "--revoke")
    assert result.exit_code == 0
    assert "all others are void within 5 s" in result.output
    assert_refused(app, token)


def test_the_command_lists_keys_without_a_secret(app: Flask) -> None:
    assert [key["id"] for key in json.loads(run(app, "keys", "--json").output)] == [FIRST]
    newest = rotate(app)
    newer, first = json.loads(run(app, "keys", "--json").output)
    assert (newer["id"], newer["retired at"], newer["verifies until"]) == (newest, None, None)
    assert first.keys() == {"id", "created at", "retired at", "verifies until"}
    assert first["retired at"] < first["verifies until"]
    assert newest in run(app, "keys").output
