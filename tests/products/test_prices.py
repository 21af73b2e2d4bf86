"""Prices: exact, in the decimals of their currency, and never rounded."""

from collections.abc import Callable
from decimal import Decimal

import pytest
from flask import Flask
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from stockroom.config import ConfigurationError
from stockroom.currencies import CURRENCIES
from stockroom.products.money import format_price
from tests.api import Api, assert_problem
from tests.factories.products import product_body

QUICK = settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.mark.parametrize(
    ("sent", "currency", "shown"),
    [
        (12.5, "EUR", "12.50"),
        ("12.5", "EUR", "12.50"),
        ("12.50", "EUR", "12.50"),
        ("12.500", "EUR", "12.50"),
        (" 12.5 ", "EUR", "12.50"),
        (12, "EUR", "12.00"),
        (1e2, "EUR", "100.00"),
        (0, "EUR", "0.00"),
        ("007", "EUR", "7.00"),
        (0.1, "EUR", "0.10"),
        (1200, "JPY", "1200"),
        ("1200.0", "JPY", "1200"),
        ("1.5", "KWD", "1.500"),
        (1.234, "KWD", "1.234"),
        ("99999999999.999", "KWD", "99999999999.999"),
        (99999999999.99, "EUR", "99999999999.99"),
    ],
)
def test_a_price_is_shown_with_the_decimals_of_its_currency(
    staff: Api, sent: object, currency: str, shown: str
) -> None:
    created = staff.post("/products", json=product_body(price=sent, currency=currency))
    assert created.get_json().get("price") == shown, created.text
    assert staff.get(created.headers["Location"]).get_json()["price"] == shown


@pytest.mark.parametrize(
    ("price", "currency"),
    [
        ("12.505", "EUR"),
        (12.505, "EUR"),
        ("0.001", "EUR"),
        ("1.5", "JPY"),
        (0.5, "JPY"),
        ("1.2345", "KWD"),
        (1.2345, "KWD"),
        (1e-7, "KWD"),
    ],
)
def test_a_price_with_more_decimals_than_its_currency_is_refused(
    staff: Api, price: object, currency: str
) -> None:
    response = staff.post("/products", json=product_body(price=price, currency=currency))
    assert list(assert_problem(response, 422, "validation-error")["errors"]) == ["price"]


@pytest.mark.parametrize(
    "price",
    [
        -1,
        -0.01,
        "-1",
        "+1",
        "1e2",
        "1E2",
        100_000_000_000,
        "100000000000",
        1e308,
        10**400,
        "9" * 5000,
        "NaN",
        "nan",
        "Infinity",
        "sNaN",
        True,
        False,
        None,
        "",
        " ",
        "1 2",
        "1,50",
        "1.",
        ".5",
        "1.5.0",
        "0x10",
        "1_000",
        "١٢",
        "12.5€",
        "12\u0000",
        [1],
        {"amount": 1},
    ],
)
def test_what_is_no_price_is_refused(staff: Api, price: object) -> None:
    response = staff.post("/products", json=product_body(price=price, currency="KWD"))
    assert list(assert_problem(response, 422, "validation-error")["errors"]) == ["price"]


@pytest.mark.parametrize("price", ["NaN", "Infinity", "-Infinity", "1e400"])
def test_a_number_that_json_does_not_have_is_not_json(staff: Api, price: str) -> None:
    body = f'{{"sku": "A", "name": "Mug", "price": {price}}}'
    response = staff.post("/products", data=body, content_type="application/json")
    assert_problem(response, 400, "bad-request")


@pytest.mark.parametrize("currency", ["eur", "EURO", "XYZ", "XAU", "", " EUR", None, 978, ["EUR"]])
def test_what_is_no_currency_is_refused(staff: Api, currency: object) -> None:
    response = staff.post("/products", json=product_body(currency=currency))
    assert list(assert_problem(response, 422, "validation-error")["errors"]) == ["currency"]


@QUICK
@given(amount=st.integers(0, 10**14 - 1), decimals=st.integers(0, 3), as_number=st.booleans())
def test_every_price_comes_back_exactly(
    app: Flask, staff: Api, amount: int, decimals: int, as_number: bool
) -> None:
    price = Decimal(amount).scaleb(-3).quantize(Decimal(1).scaleb(-decimals), rounding="ROUND_DOWN")
    sent = float(price) if as_number else str(price)
    created = staff.post("/products", json=product_body(price=sent, currency="KWD"))
    stored = staff.get(created.headers["Location"]).get_json()["price"]
    assert Decimal(stored) == price
    staff.delete(created.headers["Location"], if_match="*")


@QUICK
@given(text=st.text(max_size=20) | st.from_regex(r"\A-?[0-9]{0,13}\.?[0-9]{0,5}(e[0-9])?\Z"))
def test_every_text_is_a_price_or_refused(staff: Api, text: str) -> None:
    created = staff.post("/products", json=product_body(price=text, currency="KWD"))
    assert created.status_code in {201, 422}
    if created.status_code == 201:
        assert Decimal(created.get_json()["price"]) == Decimal(text.strip())


@given(currency=st.sampled_from(CURRENCIES), thousandths=st.integers(0, 10**14 - 1))
def test_a_formatted_price_never_has_an_exponent(currency: str, thousandths: int) -> None:
    assert "E" not in format_price(Decimal(thousandths).scaleb(-3), currency)


@pytest.mark.parametrize("currency", ["eur", "XAU", "CLF", "XYZ", "€"])
def test_a_shop_whose_own_currency_is_none_does_not_start(
    make_app: Callable[..., Flask], currency: str
) -> None:
    with pytest.raises(ConfigurationError, match="DEFAULT_CURRENCY"):
        make_app(default_currency=currency)
