from itertools import count
from typing import Any

from flask import Flask

from stockroom.products import service
from stockroom.products.models import Product
from stockroom.products.schemas import NewProductSchema

LOWERED_OTHERWISE_BY_PYTHON = ("ΦΩΣ", "İNCİ")
"""SKUs: PostgreSQL knows no final sigma, and has one letter for the dotted capital i."""

_numbers = count(1)


def product_body(**fields: Any) -> dict[str, Any]:
    """The body of a ``POST /products``, with a SKU of its own."""
    number = next(_numbers)
    return {"sku": f"SKU-{number}", "name": f"Product {number}", "price": "9.50", **fields}


def make_product(app: Flask, **fields: Any) -> Product:
    with app.app_context():
        new = NewProductSchema().load(product_body(**fields))
        return service.create(new, new.pop("stock", 0))
