"""What is kept, for whom, and for how long; a write is seen by the next read."""

import time

import pytest
from flask import Flask

from stockroom.core.cache import answer, memory
from stockroom.core.memory import LONGEST_SECONDS, Answer
from tests.api import Api, assert_problem
from tests.core.cache.shops import A_READ_SECONDS, THINGS, MakeApp, is_kept, rename_unseen, staff_of
from tests.factories.products import make_product, product_body
from tests.threads import at_once, until


@pytest.mark.parametrize("path", ["/products/{id}", "/products/by-sku/MUG", "/products?limit=1"])
def test_what_anyone_reads_is_kept(app: Flask, shop: Flask, path: str) -> None:
    product = make_product(app, sku="MUG")
    # Not every time: a second may end between the two reads.
    until(lambda: is_kept(app, Api(shop), path.format(id=product.id)))


def test_what_a_customer_reads_is_kept_as_well(app: Flask, customer: Api) -> None:
    product = make_product(app)
    until(lambda: is_kept(app, customer, f"/products/{product.id}"))


def test_an_answer_is_not_kept_for_long(app: Flask, shop: Flask) -> None:
    path = f"/products/{make_product(app).id}"
    reader = Api(shop)
    reader.get(path)
    name = rename_unseen(app)
    until(lambda: name in reader.get(path).text)


@pytest.mark.parametrize("path", ["/products/{id}", "/products/by-sku/MUG", "/products"])
def test_staff_always_read_what_is_stored(app: Flask, shop: Flask, path: str) -> None:
    product = make_product(app, sku="MUG")
    staff = staff_of(app, shop)
    assert not any(is_kept(app, staff, path.format(id=product.id)) for _ in range(5))


def test_what_staff_read_is_not_kept_for_others(app: Flask, nobody: Api, staff: Api) -> None:
    path = f"/products/{make_product(app, status='draft').id}"
    assert staff.get(path).status_code == 200
    assert nobody.get(path).status_code == 404
    assert len(staff.get("/products").get_json()["items"]) == 1
    assert nobody.get("/products").get_json()["items"] == []


def test_a_write_is_seen_by_the_next_read(app: Flask, shop: Flask) -> None:
    reader, staff = Api(shop), staff_of(app, shop)
    for number in range(10):
        location = staff.post("/products", json=product_body(name="Mug")).headers["Location"]
        assert len(reader.get("/products?q=mug").get_json()["items"]) == 1
        assert reader.get(location).get_json()["name"] == "Mug"
        staff.patch(location, json={"name": f"Cup {number}"}, if_match="*")
        assert reader.get("/products?q=mug").get_json()["items"] == []
        assert reader.get(location).get_json()["name"] == f"Cup {number}"
        staff.delete(location, if_match="*")
        assert_problem(reader.get(location), 404, "product-not-found")


def test_an_import_is_seen_by_the_next_read(app: Flask, shop: Flask) -> None:
    assert Api(shop).get("/products").get_json()["items"] == []
    result = shop.test_cli_runner().invoke(
        args=["products", "import", "-"], input="sku,name,price\nA,Mug,1\n"
    )
    assert result.exit_code == 0, result.output
    assert len(Api(shop).get("/products").get_json()["items"]) == 1


def test_a_write_in_one_process_is_seen_in_another_within_a_second(
    app: Flask, make_shop: MakeApp
) -> None:
    one, other = make_shop(), make_shop()
    path = f"/products/{make_product(app).id}"
    staff, reader = staff_of(app, one), Api(other)
    for number in range(3):
        before = reader.get(path).get_json()["name"]
        staff.patch(path, json={"name": f"Mug {number}"}, if_match="*")
        written = time.monotonic()
        while (name := reader.get(path).get_json()["name"]) == before:
            assert time.monotonic() - written <= LONGEST_SECONDS + A_READ_SECONDS
        assert name == f"Mug {number}"


def test_what_one_process_has_read_another_one_takes_from_redis(
    app: Flask, make_shop: MakeApp
) -> None:
    one, other = make_shop(), make_shop()
    path = f"/products/{make_product(app).id}"

    def is_shared() -> bool:
        # Redis is asked for what is asked for often: the second time.
        for reader in (Api(one), Api(other), Api(one)):
            before = reader.get(path).text
        rename_unseen(app)
        with other.app_context():
            memory().move_on()
        return Api(other).get(path).text == before

    until(is_shared)


def test_of_many_who_ask_at_once_one_reads(shop: Flask) -> None:
    readers = []

    def ask(reader: int) -> bytes:
        def read() -> Answer:
            readers.append(reader)
            return Answer(b"read once", "1")

        with shop.app_context():
            return answer(THINGS, read).body

    assert at_once(ask, range(100)) == [b"read once"] * 100
    assert len(readers) == 1
