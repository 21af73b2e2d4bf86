"""What PostgreSQL writes is what the schemas say, field by field."""

import json
from datetime import UTC
from decimal import Decimal
from typing import Any

from flask import Flask
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from stockroom.core.database import new_id
from stockroom.core.http.pages import page_of
from stockroom.core.pagination import PageRequest
from stockroom.core.transaction import transaction
from stockroom.currencies import CURRENCIES, DECIMALS
from stockroom.products import representations, service
from stockroom.products.models import Product, ProductStatus
from stockroom.products.schemas import FIELD_NAMES, ListedProductSchema, ProductSchema
from tests.factories.products import make_product

TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=60)
FILLED = TEXTS.filter(bool)
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=8,
)
SECONDS = st.datetimes(timezones=st.just(UTC)).map(lambda moment: moment.replace(microsecond=0))
MOMENTS = st.datetimes(timezones=st.just(UTC)) | SECONDS


@st.composite
def products(draw: st.DrawFn) -> dict[str, Any]:
    currency = draw(st.sampled_from(CURRENCIES))
    amount = draw(st.integers(0, 10**11 - 1))
    return {
        "id": new_id(),
        "version": draw(st.integers(1, 2**31 - 1)),
        "sku": str(new_id()),
        "name": draw(FILLED),
        "description": draw(st.none() | TEXTS),
        "price": Decimal(amount).scaleb(-DECIMALS[currency]),
        "currency": currency,
        "family": draw(st.none() | TEXTS),
        "options": draw(st.dictionaries(TEXTS, TEXTS, max_size=3)),
        "attributes": draw(st.dictionaries(TEXTS, VALUES, max_size=3)),
        "status": draw(st.sampled_from(ProductStatus)),
        "low_stock_threshold": draw(st.none() | st.integers(0, 2**63 - 1)),
        "created_at": draw(MOMENTS),
        "updated_at": draw(MOMENTS),
    }


@given(fields=products())
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_every_product_is_written_as_its_schema_has_it(
    app_context: None, fields: dict[str, Any]
) -> None:
    with transaction() as session:
        session.add(Product(**fields))
    stored = service.get(fields["id"], to_staff=True)
    shown = representations.of_id(fields["id"], to_staff=True).answer()
    assert json.loads(shown.body) == json.loads(json.dumps(ProductSchema().dump(stored)))
    assert list(json.loads(shown.body)) == list(FIELD_NAMES)
    assert shown.etag == stored.etag


def test_a_page_is_written_as_its_schema_has_it(app: Flask, app_context: None) -> None:
    for number in range(5):
        make_product(app, stock=number, price=f"{number}.5", options={"size": str(number)})
    for sort in ("name", "-price", "created_at", "-updated_at", "sku"):
        shown = service.ask_for_page({}, PageRequest(3, count=True), sort, to_staff=True).answer()
        stored = service.search({}, PageRequest(5))
        listed = ProductSchema(many=True).dump(stored.items)
        page = json.loads(shown.body)
        assert set(page) == set(page_of(ListedProductSchema)().fields)
        assert [item for item in page["items"] if item not in listed] == []
        assert (len(page["items"]), page["total"], page["next_cursor"]) == (3, 5, shown.next_cursor)


def test_the_tag_of_a_page_is_another_one_when_the_page_is(app: Flask, app_context: None) -> None:
    make_product(app)
    before = service.ask_for_page({}, PageRequest(), to_staff=False).answer()
    assert service.ask_for_page({}, PageRequest(), to_staff=False).answer() == before
    make_product(app)
    assert service.ask_for_page({}, PageRequest(), to_staff=False).answer().etag != before.etag
