"""Who may what: a role has what the one below it has, and every route says whom it admits."""

from typing import Any

import pytest

from stockroom.core.api import Blueprint
from stockroom.core.database import new_id
from stockroom.core.permissions import PERMISSIONS, Caller, Permission, Role


@pytest.mark.parametrize(
    ("role", "permissions"),
    [
        (Role.CUSTOMER, {"account:own", "account:secure", "events:follow", "reservations:write"}),
        (
            Role.STAFF,
            {
                "account:own",
                "account:secure",
                "catalogue:export",
                "catalogue:write",
                "events:follow",
                "events:read",
                "reservations:write",
                "stock:read",
                "stock:write",
            },
        ),
        (Role.ADMIN, {*Permission}),
    ],
)
def test_each_role_may_what_the_contract_says(role: Role, permissions: set[str]) -> None:
    caller = Caller(new_id(), role)
    assert {permission for permission in Permission if caller.may(permission)} == permissions


def test_a_role_has_all_that_the_one_below_it_has() -> None:
    assert PERMISSIONS[Role.CUSTOMER] < PERMISSIONS[Role.STAFF] < PERMISSIONS[Role.ADMIN]


def test_a_route_that_does_not_say_whom_it_admits_is_refused_at_start() -> None:
    blueprint = Blueprint("open", __name__)

    def view() -> Any:
        return {}

    with pytest.raises(TypeError, match="does not declare who may call it"):
        blueprint.add_url_rule("/open", view_func=view)


def test_ids_made_later_sort_later() -> None:
    made = [new_id() for _ in range(1000)]
    assert made == sorted(made)
    assert {one.version for one in made} == {7}
