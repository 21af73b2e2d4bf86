"""Keyset pages: walked to the end, and cursors that nobody can make up."""

from collections.abc import Iterator
from hashlib import sha256
from itertools import count

import pytest
from flask import Flask
from itsdangerous import URLSafeSerializer

from stockroom.config import Settings
from stockroom.core.pagination import PageRequest, every_item
from stockroom.users import service
from tests.api import Api, assert_problem
from tests.factories.products import make_product
from tests.factories.users import make_user


@pytest.fixture
def people(app: Flask, admin: Api) -> int:
    """How many accounts there are."""
    for _ in range(6):
        make_user(app)
    return 7


def pages(api: Api, address: str | None) -> Iterator[list[str]]:
    """The ids of each page, as its Link leads to the next."""
    for _ in count():
        if address is None:
            return
        response = api.get(address)
        assert response.status_code == 200, response.text
        yield [item["id"] for item in response.get_json()["items"]]
        link = response.headers.get("Link")
        address = link.partition(">")[0].lstrip("<") if link else None


@pytest.mark.parametrize("limit", [1, 2, 3, 6, 7, 8])
def test_the_links_lead_through_every_item_once(admin: Api, people: int, limit: int) -> None:
    walked = [*pages(admin, f"/users?limit={limit}")]
    ids = [one for page in walked for one in page]
    assert len(ids) == len(set(ids)) == people
    assert max(map(len, walked)) == min(limit, people)
    assert ids == sorted(ids, reverse=True)


def test_the_links_keep_the_filters(admin: Api, people: int) -> None:
    walked = [*pages(admin, "/users?limit=4&role=customer&q=user")]
    assert [len(page) for page in walked] == [4, 2]


def test_the_last_page_has_no_cursor_and_no_link(admin: Api) -> None:
    response = admin.get("/users")
    assert response.get_json()["next_cursor"] is None
    assert "Link" not in response.headers


def test_a_link_names_its_relation(admin: Api, people: int) -> None:
    assert admin.get("/users?limit=1").headers["Link"].endswith('>; rel="next"')


def test_a_page_holds_fifty_unless_asked_otherwise(app: Flask, admin: Api) -> None:
    for _ in range(50):
        make_user(app)
    assert len(admin.get("/users").get_json()["items"]) == 50


def test_new_items_do_not_shift_the_pages_behind(app: Flask, admin: Api, people: int) -> None:
    walk = pages(admin, "/users?limit=3")
    seen = next(walk)
    make_user(app)
    seen += [one for page in walk for one in page]
    assert len(seen) == len(set(seen)) == people


def test_all_matches_are_counted_if_asked(admin: Api, people: int) -> None:
    page = admin.get("/users?limit=2&count=true&role=customer").get_json()
    assert (page["total"], len(page["items"])) == (people - 1, 2)


def test_the_count_stays_the_same_on_later_pages(admin: Api, people: int) -> None:
    first = admin.get("/users?limit=5&count=true").get_json()
    second = admin.get(f"/users?limit=5&count=true&cursor={first['next_cursor']}").get_json()
    assert (first["total"], second["total"]) == (people, people)


@pytest.mark.parametrize("query", ["", "?count=false"])
def test_nothing_is_counted_unless_asked(admin: Api, query: str) -> None:
    assert "total" not in admin.get(f"/users{query}").get_json()


@pytest.mark.parametrize("limit", [1, 200])
def test_a_limit_within_bounds_is_taken(admin: Api, limit: int) -> None:
    assert admin.get(f"/users?limit={limit}").status_code == 200


@pytest.mark.parametrize("limit", ["0", "-1", "201", "9" * 400, "1e2", "ten", "", "1.5", "NaN"])
def test_any_other_limit_is_refused(admin: Api, limit: str) -> None:
    problem = assert_problem(admin.get(f"/users?limit={limit}"), 422, "validation-error")
    assert [*problem["errors"]] == ["limit"]


@pytest.mark.parametrize("value", ["1", "yes", "TRUE", ""])
def test_a_flag_is_true_or_false(admin: Api, value: str) -> None:
    assert_problem(admin.get(f"/users?count={value}"), 422, "validation-error")


def test_an_unknown_parameter_is_refused(admin: Api) -> None:
    problem = assert_problem(admin.get("/users?page=2"), 422, "validation-error")
    assert [*problem["errors"]] == ["page"]


def cursor_of(api: Api, path: str) -> str:
    cursor: str = api.get(path).get_json()["next_cursor"]
    assert cursor
    return cursor


@pytest.mark.parametrize(
    "forged",
    ["", "x", "%00", "é", "a.b.c", "." * 50, "W10.x", "A" * 1999, "A" * 5000,
     URLSafeSerializer("guessed", salt="cursor").dumps(["User.id -created_at", "x"])],
)  # fmt: skip
def test_a_forged_cursor_is_refused(admin: Api, forged: object) -> None:
    problem = assert_problem(admin.get(f"/users?cursor={forged}"), 422, "validation-error")
    assert [*problem["errors"]] == ["cursor"]


def test_a_truncated_or_changed_cursor_is_refused(admin: Api, people: int) -> None:
    cursor = cursor_of(admin, "/users?limit=1")
    for other in (cursor[:-1], cursor[1:], cursor.swapcase(), cursor[: len(cursor) // 2]):
        assert_problem(admin.get(f"/users?cursor={other}"), 422, "validation-error")


def test_a_cursor_is_what_itsdangerous_makes_by_itself(
    admin: Api, settings: Settings, people: int
) -> None:
    plain = URLSafeSerializer(
        settings.secret_key, salt="cursor", signer_kwargs={"digest_method": sha256}
    )
    cursor = cursor_of(admin, "/users?limit=3")
    made = plain.dumps(plain.loads(cursor))
    assert made == cursor
    assert admin.get(f"/users?cursor={made}").status_code == 200


def test_a_cursor_of_another_list_is_refused(app: Flask, admin: Api, people: int) -> None:
    for _ in range(2):
        make_product(app)
    cursor = cursor_of(admin, "/users?limit=1")
    assert_problem(admin.get(f"/products?cursor={cursor}"), 422, "validation-error")
    assert_problem(admin.get(f"/auth/sessions?cursor={cursor}"), 422, "validation-error")


def test_a_cursor_of_another_order_is_refused(app: Flask, staff: Api) -> None:
    for _ in range(2):
        make_product(app)
    cursor = cursor_of(staff, "/products?limit=1&sort=name")
    for sort in ("-name", "price", "created_at", "-updated_at"):
        response = staff.get(f"/products?limit=1&sort={sort}&cursor={cursor}")
        assert_problem(response, 422, "validation-error")


def test_every_item_reads_all_pages(app: Flask, people: int) -> None:
    def read(page: PageRequest) -> object:
        return service.search({}, PageRequest(2, page.cursor))

    with app.app_context():
        items = [user.id for user in every_item(read)]  # type: ignore[arg-type,attr-defined]
    assert len(items) == len(set(items)) == people
