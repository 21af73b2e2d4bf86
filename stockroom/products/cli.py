"""``flask products``: the catalogue, from a terminal."""

from click import Choice, option

from stockroom.core.console import CommandGroup, json_option, load, print_table
from stockroom.core.pagination import every_item
from stockroom.products import service
from stockroom.products.models import ProductStatus
from stockroom.products.money import format_price
from stockroom.products.schemas import ProductQuery

products_commands = CommandGroup("products", help="The catalogue.")


@products_commands.command("list")
@option("--q", help="Words in SKU, name or description.")
@option("--family", help="Only variants of this family.")
@option("--status", type=Choice([status.value for status in ProductStatus]))
@json_option
def list_products(q: str | None, family: str | None, status: str | None, *, as_json: bool) -> None:
    """List products, newest first; with --q, best matches first.

    Example: flask products list --q mug
    """
    schema = ProductQuery(only=["q", "family", "status"])
    filters = load(schema, q=q, family=family, status=status)
    products = every_item(lambda page: service.search(filters, page))
    rows = (
        (
            product.sku,
            product.name,
            format_price(product.price, product.currency),
            product.currency,
            product.status.value,
            product.id,
        )
        for product in products
    )
    print_table(("sku", "name", "price", "currency", "status", "id"), rows, as_json=as_json)
