"""Conditional requests: If-None-Match saves a body, If-Match saves a change."""

import pytest
from flask import Flask

from tests.api import Api, assert_problem
from tests.factories.products import make_product


@pytest.fixture
def etag(customer: Api) -> str:
    return customer.get("/users/me").headers["ETag"]


@pytest.fixture
def tag(etag: str) -> str:
    return etag.strip('"')


def test_a_single_resource_has_a_strong_etag(etag: str) -> None:
    assert etag.startswith('"1-')


@pytest.mark.parametrize(
    "header", ['"{tag}"', 'W/"{tag}"', "*", '"7", "{tag}"', '"7",W/"{tag}" , "9"']
)
def test_a_version_that_the_client_has_is_not_sent_again(
    customer: Api, tag: str, header: str
) -> None:
    response = customer.get("/users/me", headers={"If-None-Match": header.format(tag=tag)})
    assert (response.status_code, response.data) == (304, b"")
    assert response.headers["ETag"].startswith('"1-')
    assert response.headers["X-Request-ID"]


@pytest.mark.parametrize("header", ['"2"', 'W/"2"', "", "garbage", '"', '"1', "W/", ",,,", "é"])
def test_any_other_version_is_sent(customer: Api, tag: str, header: str) -> None:
    response = customer.get("/users/me", headers={"If-None-Match": header.format(tag=tag)})
    assert response.status_code == 200
    assert response.get_json()["email"]


@pytest.mark.parametrize("header", ['"{tag}"', '"9"', "*"])
def test_a_read_does_not_look_at_if_match(customer: Api, tag: str, header: str) -> None:
    assert customer.get("/users/me", if_match=header.format(tag=tag)).status_code == 200


def test_a_change_gives_a_new_etag(customer: Api, etag: str) -> None:
    changed = customer.patch("/users/me", json={"full_name": "Ada"}, if_match=etag)
    assert changed.status_code == 200
    assert changed.headers["ETag"] != etag
    assert customer.get("/users/me").headers["ETag"] == changed.headers["ETag"]


def test_a_change_that_changes_nothing_keeps_the_etag(customer: Api, etag: str) -> None:
    assert customer.patch("/users/me", json={}, if_match=etag).headers["ETag"] == etag


@pytest.mark.parametrize("method", ["PATCH", "DELETE"])
def test_a_change_without_if_match_is_refused(customer: Api, method: str) -> None:
    body = {"json": {"full_name": "Ada"}} if method == "PATCH" else {}
    response = customer.request(method, "/users/me", **body)
    assert_problem(response, 428, "precondition-required")


@pytest.mark.parametrize("header", ['"{tag}"', "*", '"7", "{tag}"', "{tag}"])
def test_a_change_of_the_stored_version_is_made(customer: Api, tag: str, header: str) -> None:
    response = customer.patch(
        "/users/me", json={"full_name": "Ada"}, if_match=header.format(tag=tag)
    )
    assert response.status_code == 200


@pytest.mark.parametrize(
    "header", ['"2"', '"0"', 'W/"{tag}"', '"7", "8"', "", "garbage", '"', '"1', '"01"', '"1 "', "é"]
)
def test_a_change_of_another_version_is_refused(customer: Api, tag: str, header: str) -> None:
    response = customer.patch(
        "/users/me", json={"full_name": "Ada"}, if_match=header.format(tag=tag)
    )
    assert_problem(response, 412, "precondition-failed")
    assert customer.get("/users/me").get_json()["full_name"] is None


def test_of_two_changes_to_one_version_the_second_is_refused(customer: Api, etag: str) -> None:
    customer.patch("/users/me", json={"full_name": "First"}, if_match=etag)
    second = customer.patch("/users/me", json={"full_name": "Second"}, if_match=etag)
    assert_problem(second, 412, "precondition-failed")
    assert customer.get("/users/me").get_json()["full_name"] == "First"


def test_a_stale_client_cannot_remove(customer: Api, etag: str) -> None:
    customer.patch("/users/me", json={"full_name": "Ada"}, if_match=etag)
    assert_problem(customer.delete("/users/me", if_match=etag), 412, "precondition-failed")
    assert customer.get("/users/me").status_code == 200


def test_head_answers_with_the_etag_and_no_body(app: Flask, customer: Api, etag: str) -> None:
    response = customer.request("HEAD", "/users/me")
    assert (response.status_code, response.data, response.headers["ETag"]) == (200, b"", etag)


def test_the_etag_of_an_address_that_leads_elsewhere_is_another(staff: Api, app: Flask) -> None:
    first = make_product(app, sku="MUG")
    before = staff.get("/products/by-sku/MUG").headers["ETag"]
    staff.delete(f"/products/{first.id}", if_match="*")
    make_product(app, sku="MUG", name="Another")
    after = staff.get("/products/by-sku/MUG", headers={"If-None-Match": before})
    assert (after.status_code, after.get_json()["name"]) == (200, "Another")
