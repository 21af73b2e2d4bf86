"""How much was on hand, step by step."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import pytest
from flask import Flask

from tests.api import Api, assert_problem
from tests.factories.products import make_product


@pytest.fixture
def path(app: Flask, staff: Api) -> str:
    """Where the stock of a mug is, of which there were 5 in January, 3 from the 3rd of February and
    13 from the 5th, though that was recorded first.
    """
    product_id: UUID = make_product(app, sku="MUG").id
    for kind, quantity, day in (
        ("received", 5, "2026-01-10T12:00:00Z"),
        ("received", 10, "2026-02-05T00:00:00Z"),
        ("shipped", 2, "2026-02-03T23:59:59+00:00"),
    ):
        body = {"kind": kind, "quantity": quantity, "occurred_at": day}
        assert staff.post(f"/products/{product_id}/movements", json=body).status_code == 201
    return f"/products/{product_id}/stock"


def points(staff: Api, path: str, query: str) -> list[tuple[Any, ...]]:
    answer = staff.get(f"{path}/history?{query}")
    assert answer.status_code == 200, answer.text
    return [
        (it["at"].partition("+")[0], it["change"], it["on_hand"])
        for it in answer.get_json()["points"]
    ]


def test_each_day_has_what_was_on_hand_at_its_end(staff: Api, path: str) -> None:
    found = points(staff, path, "from=2026-02-02T00:00:00Z&to=2026-02-06T00:00:00Z")
    assert found == [
        ("2026-02-02T00:00:00", 0, 5),
        ("2026-02-03T00:00:00", -2, 3),
        ("2026-02-04T00:00:00", 0, 3),
        ("2026-02-05T00:00:00", 10, 13),
    ]


@pytest.mark.parametrize(
    ("step", "starts"),
    [
        ("month", [("2026-01-01T00:00:00", 5, 5), ("2026-02-01T00:00:00", 8, 13)]),
        ("week", [("2026-01-26T00:00:00", 0, 5), ("2026-02-02T00:00:00", 8, 13)]),
    ],
)
def test_steps_begin_where_the_calendar_has_them(
    staff: Api, path: str, step: str, starts: list[tuple[Any, ...]]
) -> None:
    begin = {"month": "2026-01-15", "week": "2026-02-01"}[step]
    query = f"from={begin}T10:00:00Z&to=2026-02-06T00:00:00Z&step={step}"
    assert points(staff, path, query) == starts


def test_hours_are_told_in_utc_whatever_the_offset(staff: Api, path: str) -> None:
    query = "from=2026-02-04T01:30:00%2B02:00&to=2026-02-04T02:30:00%2B02:00&step=hour"
    assert points(staff, path, query) == [
        ("2026-02-03T23:00:00", -2, 3),
        ("2026-02-04T00:00:00", 0, 3),
    ]


def test_what_is_left_out_is_the_last_thirty_steps(staff: Api, path: str) -> None:
    found = points(staff, path, "step=day")
    assert len(found) in {30, 31}
    assert found[-1][0] == f"{datetime.now(UTC):%Y-%m-%d}T00:00:00"
    assert found[-1][2] == 13


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("from=2026-02-02T00:00:00Z&to=2026-02-02T00:00:00Z", "to"),
        ("from=2020-01-01T00:00:00Z&to=2026-01-01T00:00:00Z", "step"),
        ("from=0001-01-01T00:00:00Z", "step"),
        ("to=0001-01-01T00:00:00Z", "from"),
        ("step=minute", "step"),
        ("from=yesterday", "from"),
    ],
)
def test_what_cannot_be_a_history_is_refused(staff: Api, path: str, query: str, field: str) -> None:
    answer = staff.get(f"{path}/history?{query}")
    assert assert_problem(answer, 422, "validation-error")["errors"].keys() == {field}


def test_the_end_of_time_is_no_error(staff: Api, path: str) -> None:
    query = "from=9999-12-30T00:00:00Z&to=9999-12-31T23:00:00Z"
    assert staff.get(f"{path}/history?{query}").status_code in {200, 422}


def test_a_history_needs_its_product(staff: Api) -> None:
    assert_problem(staff.get(f"/products/{uuid4()}/stock/history"), 404, "product-not-found")
