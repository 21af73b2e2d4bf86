"""Answers that are kept: for whom, how long, and never past a write."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlencode
from uuid import uuid4

import pytest
from flask import Flask
from sqlalchemy import text

from stockroom.core.cache import answer, changed, memory
from stockroom.core.memory import LONGEST_SECONDS, Answer, Memory
from stockroom.core.permissions import Role
from stockroom.core.transaction import transaction
from stockroom.embedded.redis import EmbeddedRedis
from stockroom.extensions import db
from tests.api import Api, assert_problem, product_tag
from tests.factories.products import make_product, product_body
from tests.factories.users import make_user, token_for
from tests.threads import at_once, until

MakeApp = Callable[..., Flask]
THINGS = "/things"
A_READ_SECONDS = 0.5


@pytest.fixture
def redis(tmp_path: Path) -> Iterator[EmbeddedRedis]:
    server = EmbeddedRedis(tmp_path)
    server.start()
    yield server
    server.stop()


@pytest.fixture
def make_shop(make_app: MakeApp, redis: EmbeddedRedis) -> MakeApp:
    """Applications on this Redis."""
    return lambda: make_app(redis_url=redis.url)


@pytest.fixture(params=["memory", "redis"])
def shop(request: pytest.FixtureRequest, app: Flask) -> Flask:
    """An application that keeps its answers in its own memory, or in Redis."""
    if request.param == "memory":
        return app
    made: Flask = request.getfixturevalue("make_shop")()
    return made


def staff_of(app: Flask, shop: Flask) -> Api:
    return Api(shop, token_for(app, make_user(app, role=Role.STAFF)))


def rename_unseen(app: Flask) -> str:
    """Give all products a new name without the application's knowledge; returns the name."""
    name = f"Mug {uuid4()}"
    with app.app_context(), db.engine.begin() as connection:
        connection.execute(text("UPDATE products SET name = :name"), {"name": name})
    return name


def is_kept(app: Flask, reader: Api, path: str) -> bool:
    """Whether a read is answered as the one just before it, though the database has changed."""
    before = reader.get(path)
    name = rename_unseen(app)
    after = reader.get(path)
    assert (name in after.text) != (before.text == after.text)
    return before.text == after.text


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


def test_a_kept_answer_has_its_headers(app: Flask, shop: Flask) -> None:
    for _ in range(2):
        product = make_product(app)
    reader, headers = Api(shop), ("Content-Type", "ETag", "Link", "Cache-Control")

    def told(path: str) -> list[str | None]:
        response = reader.get(path)
        return [response.headers.get(name) for name in headers]

    for path in (f"/products/{product.id}", "/products?limit=1"):
        first = told(path)
        assert told(path) == first
        until(lambda path=path: is_kept(app, reader, path))
        assert [bool(value) for value in told(path)] == [bool(value) for value in first]


def test_a_kept_answer_tells_a_client_that_has_the_version(app: Flask, shop: Flask) -> None:
    path = f"/products/{make_product(app).id}"
    reader = Api(shop)
    for _ in range(2):
        assert reader.get(path, headers={"If-None-Match": product_tag(path, 1)}).status_code == 304
        assert reader.get(path).status_code == 200


def test_an_answer_to_head_is_kept_with_its_body(app: Flask, nobody: Api) -> None:
    path = f"/products/{make_product(app).id}"
    assert nobody.request("HEAD", path).data == b""
    assert nobody.get(path).get_json()["status"] == "active"


def test_two_queries_have_two_answers(app: Flask, nobody: Api) -> None:
    make_product(app, sku="A", name="Mug")
    make_product(app, sku="B", name="Cup")
    for q, sku in (("mug", "A"), ("cup", "B")):
        items = nobody.get(f"/products?{urlencode({'q': q})}").get_json()["items"]
        assert [item["sku"] for item in items] == [sku]


def test_what_is_not_found_is_not_kept(app: Flask, shop: Flask) -> None:
    path = f"/products/{make_product(app, status='draft').id}"
    assert_problem(Api(shop).get(path), 404, "product-not-found")
    with app.app_context(), db.engine.begin() as connection:
        connection.execute(text("UPDATE products SET status = 'active'"))
    assert Api(shop).get(path).status_code == 200


def test_without_its_redis_a_shop_goes_by_its_own_memory(
    app: Flask, redis: EmbeddedRedis, make_shop: MakeApp
) -> None:
    shop = make_shop()
    path = f"/products/{make_product(app).id}"
    Api(shop).get(path)
    redis.stop()
    until(lambda: is_kept(app, Api(shop), path))
    name = rename_unseen(app)
    until(lambda: name in Api(shop).get(path).text)
    changed_name = staff_of(app, shop).patch(path, json={"name": "Cup"}, if_match="*")
    assert changed_name.status_code == 200
    assert Api(shop).get(path).get_json()["name"] == "Cup"


def test_a_redis_that_is_back_is_used_again(
    app: Flask, redis: EmbeddedRedis, make_shop: MakeApp
) -> None:
    shop = make_shop()
    path = f"/products/{make_product(app).id}"
    redis.stop()
    Api(shop).get(path)
    redis.start()
    until(lambda: is_kept(app, Api(shop), path))


def test_an_answer_from_before_a_write_is_never_told_after_it(shop: Flask) -> None:
    def overtaken() -> Answer:
        with transaction() as session:
            changed(session)
        return Answer(b"from before the write", "1")

    with shop.app_context():
        answer(THINGS, overtaken)
        after = answer(THINGS, lambda: Answer(b"from after the write", "2"))
    assert after.body == b"from after the write"


def test_a_write_that_fails_leaves_kept_answers_alone(shop: Flask) -> None:
    def fail() -> None:
        with transaction() as session:
            changed(session)
            raise ZeroDivisionError

    def is_unmoved() -> bool:
        answer(THINGS, lambda: Answer(b"kept", "1"))
        with pytest.raises(ZeroDivisionError):
            fail()
        return answer(THINGS, lambda: Answer(b"new", "2")).body == b"kept"

    with shop.app_context():
        until(is_unmoved)


def test_a_reader_does_not_wait_for_ever_for_another_one(app: Flask) -> None:
    with app.app_context(), memory().turn(THINGS):
        assert answer(THINGS, lambda: Answer(b"read all the same", "1")).body


def test_kept_answers_take_no_more_room_than_they_may() -> None:
    kept = Memory(most_bytes=100_000)
    for number in range(100):
        kept.keep(f"/things/{number}", Answer(b"x" * 5_000, "1"), time.time(), kept.generation)
        assert kept.bytes <= 100_000
    assert kept.get("/things/99")
    assert not kept.is_hot("/things/0")


def test_of_those_who_wait_for_nothing_one_has_an_answer_renewed() -> None:
    kept, old = Memory(), Answer(b"", "1")
    for name, age in (("/young", 0.0), ("/old", 0.7), ("/too old", 1.5)):
        kept.keep(name, old, time.time() - age, kept.generation)
    assert [kept.get(name) for name in ("/young", "/old", "/too old")] == [old, None, None]
    assert [kept.at_hand("/young") for _ in range(3)] == [old, old, old]
    assert [kept.at_hand("/old") for _ in range(3)] == [None, old, old]
    assert [kept.at_hand("/too old") for _ in range(3)] == [None, None, None]
    kept.move_on()
    assert kept.at_hand("/young") is None


def test_an_answer_is_hot_while_it_was_read_anew_not_long_ago() -> None:
    kept = Memory()
    for name, age in (("/now", 0.0), ("/lately", 1.5), ("/before", 2.5), ("/to come", -1.0)):
        kept.keep(name, Answer(b"", "1"), time.time() - age, kept.generation)
    hot = [
        name for name in ("/now", "/lately", "/before", "/to come", "/never") if kept.is_hot(name)
    ]
    assert hot == ["/now", "/lately"]


def test_what_is_asked_for_stays_when_room_is_made() -> None:
    kept = Memory(most_bytes=100_000)
    for number in range(100):
        kept.keep(f"/things/{number}", Answer(b"x" * 5_000, "1"), time.time(), kept.generation)
        assert kept.get("/things/0")
