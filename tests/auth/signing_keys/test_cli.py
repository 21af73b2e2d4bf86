"""Keys are rotated and listed on a server."""

import json

from flask import Flask

from stockroom.auth import signing
from tests.auth.signing_keys.keys import FIRST, assert_refused, rotate, run
from tests.factories.users import make_user, token_for


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
