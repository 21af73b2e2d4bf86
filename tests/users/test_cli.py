"""``flask users …``: commands on accounts, their passwords and their sessions."""

import json
from typing import Any

import pytest
from click.testing import Result
from flask import Flask

from stockroom.auth.cli import users_commands
from stockroom.core.permissions import Role
from stockroom.users import service
from tests.api import Api
from tests.factories.users import PASSWORD, make_user, token_for

ADA = "ada@example.com"
OTHER_PASSWORD = "another horse, another battery"


def run(app: Flask, *arguments: str, **kwargs: Any) -> Result:
    return app.test_cli_runner().invoke(args=["users", *arguments], **kwargs)


def assert_fails(result: Result, words: str) -> None:
    """In one line, with status 1, and without a trace."""
    assert result.exit_code == 1, result.output
    assert result.output.startswith("Error: ")
    assert result.output.count("\n") == 1
    assert words in result.output


def can_log_in(app: Flask, password: str = PASSWORD) -> bool:
    login = Api(app).post("/auth/login", json={"email": ADA, "password": password})
    return login.status_code == 200


@pytest.fixture
def ada(app: Flask) -> Api:
    """A client of an account that commands are about."""
    return Api(app, token_for(app, make_user(app, email=ADA, full_name="Ada Lovelace")))


def test_an_account_is_created_with_a_password_from_a_pipe(app: Flask) -> None:
    result = run(app, "create", ADA, "--password-stdin", input=f"{PASSWORD}\n")
    assert (result.exit_code, result.output) == (0, f"Created {ADA} (customer).\n")
    assert can_log_in(app)


@pytest.mark.parametrize("ending", ["", "\n", "\r\n", "\nsecond line\n"])
def test_the_password_is_the_first_line_of_the_pipe(app: Flask, ending: str) -> None:
    run(app, "create", ADA, "--password-stdin", input=PASSWORD + ending)
    assert can_log_in(app)


def test_on_a_terminal_the_password_is_asked_for_twice_and_not_shown(app: Flask) -> None:
    result = run(app, "create", ADA, input=f"{PASSWORD}\ntypo\n{PASSWORD}\n{PASSWORD}\n")
    assert result.exit_code == 0
    assert "do not match" in result.output
    assert PASSWORD not in result.output
    assert can_log_in(app)


def test_an_account_is_created_with_role_and_name(app: Flask, admin: Api) -> None:
    options = ["--role", "admin", "--full-name", "Ada Lovelace", "--password-stdin"]
    run(app, "create", ADA, *options, input=PASSWORD)
    (user,) = admin.get("/users?q=ada").get_json()["items"]
    assert (user["role"], user["full_name"]) == ("admin", "Ada Lovelace")


@pytest.mark.parametrize(
    ("email", "password", "words"),
    [
        ("nobody", PASSWORD, "email: Not an email address"),
        (ADA, "short", "password: Shorter than 8"),
        (ADA, "", "password: Shorter than 8"),
        (ADA, "\udcff" * 8, "The password is not utf-8 text."),
        ("nobody", "short", "email: Not an email address"),
    ],
)
def test_a_bad_account_is_refused_in_one_line(
    app: Flask, email: str, password: str, words: str
) -> None:
    sent = password.encode(errors="surrogateescape")
    assert_fails(run(app, "create", email, "--password-stdin", input=sent), words)


def test_an_address_is_taken_in_one_line(app: Flask, ada: Api) -> None:
    result = run(app, "create", ADA.upper(), "--password-stdin", input=PASSWORD)
    assert_fails(result, "This email address has an account")


def test_an_unknown_role_is_refused_with_those_there_are(app: Flask) -> None:
    result = run(app, "create", ADA, "--role", "owner")
    assert result.exit_code == 2
    assert "customer" in result.output


def test_accounts_are_listed_in_a_table(app: Flask, ada: Api) -> None:
    make_user(app, email="bob@example.com", role=Role.STAFF)
    header, bob, adas = run(app, "list").output.splitlines()
    assert header.split() == ["email", "role", "active", "name", "id"]
    assert bob.split()[:3] == ["bob@example.com", "staff", "True"]
    assert "Ada Lovelace" in adas


def test_accounts_are_listed_as_json(app: Flask, ada: Api) -> None:
    (row,) = json.loads(run(app, "list", "--json").output)
    assert (row["email"], row["role"], row["active"]) == (ADA, "customer", True)
    assert row["id"] == ada.get("/users/me").get_json()["id"]


@pytest.mark.parametrize("options", [["--role", "staff"], ["--q", "BOB"]])
def test_the_list_can_be_filtered(app: Flask, ada: Api, options: list[str]) -> None:
    make_user(app, email="bob@example.com", role=Role.STAFF)
    rows = json.loads(run(app, "list", "--json", *options).output)
    assert [row["email"] for row in rows] == ["bob@example.com"]


def test_an_empty_list_is_a_header_and_an_empty_array(app: Flask) -> None:
    assert run(app, "list").output.split() == ["email", "role", "active", "name", "id"]
    assert json.loads(run(app, "list", "--json").output) == []


def test_the_list_is_longer_than_a_page(app: Flask) -> None:
    for _ in range(201):
        make_user(app)
    assert len(json.loads(run(app, "list", "--json").output)) == 201


def test_a_role_is_given(app: Flask, ada: Api) -> None:
    result = run(app, "set-role", ADA.upper(), "staff")
    assert (result.exit_code, result.output) == (0, f"{ADA} is staff now.\n")
    with app.app_context():
        assert service.get_by_email(ADA).role is Role.STAFF


def test_the_last_administrator_keeps_the_role_in_one_line(app: Flask) -> None:
    make_user(app, email=ADA, role=Role.ADMIN)
    assert_fails(run(app, "set-role", ADA, "staff"), "The last administrator must stay")
    assert_fails(run(app, "deactivate", ADA), "The last administrator must stay")


def test_an_account_is_deactivated_and_activated(app: Flask, ada: Api) -> None:
    assert run(app, "deactivate", ADA).output == f"{ADA} is not active now.\n"
    assert ada.get("/users/me").status_code == 401
    assert not can_log_in(app)
    assert run(app, "activate", ADA).output == f"{ADA} is active now.\n"
    assert can_log_in(app)


def test_a_new_password_ends_the_sessions(app: Flask, ada: Api) -> None:
    result = run(app, "set-password", ADA, "--password-stdin", input=OTHER_PASSWORD)
    assert result.exit_code == 0
    assert OTHER_PASSWORD not in result.output
    assert ada.get("/users/me").status_code == 401
    assert (can_log_in(app), can_log_in(app, OTHER_PASSWORD)) == (False, True)


def test_a_bad_new_password_changes_nothing(app: Flask, ada: Api) -> None:
    assert_fails(run(app, "set-password", ADA, "--password-stdin", input="x"), "Shorter than 8")
    assert ada.get("/users/me").status_code == 200


def test_all_sessions_are_ended_and_counted(app: Flask, ada: Api) -> None:
    assert can_log_in(app)
    assert run(app, "end-sessions", ADA).output == f"Ended 2 sessions of {ADA}.\n"
    assert ada.get("/users/me").status_code == 401
    assert run(app, "end-sessions", ADA).output == f"Ended 0 sessions of {ADA}.\n"


@pytest.mark.parametrize(
    "arguments",
    [["set-role", "nobody@example.com", "staff"], ["activate", "nobody@example.com"],
     ["deactivate", "nobody"], ["end-sessions", "nobody@example.com"],
     ["set-password", "nobody@example.com", "--password-stdin"]],
)  # fmt: skip
def test_an_unknown_account_is_named_in_one_line(app: Flask, arguments: list[str]) -> None:
    assert_fails(run(app, *arguments, input=PASSWORD), arguments[1])


@pytest.mark.parametrize("name", sorted(users_commands.commands))
def test_the_help_of_each_command_has_an_example(app: Flask, name: str) -> None:
    result = run(app, name, "--help")
    assert result.exit_code == 0
    assert f"Example: flask users {name}" in " ".join(result.output.split())
