"""A kept answer is the whole answer, to its own address alone."""

from urllib.parse import urlencode

from flask import Flask
from sqlalchemy import text

from stockroom.extensions import db
from tests.api import Api, assert_problem, product_tag
from tests.core.cache.shops import is_kept
from tests.factories.products import make_product
from tests.threads import until


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
