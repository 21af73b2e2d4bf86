from functools import partial
from typing import Any
from uuid import UUID

from stockroom.core.api import Blueprint
from stockroom.core.callers.identity import Access
from stockroom.core.hot_reads.representation import Read
from stockroom.core.http.etags import expected_version
from stockroom.core.http.pages import page_request
from stockroom.core.permissions import Permission
from stockroom.products import representations, service
from stockroom.products.errors import ProductNotFound, SkuTaken
from stockroom.products.models import Product
from stockroom.products.schemas import (
    ListedProductSchema,
    NewProductSchema,
    ProductInputSchema,
    ProductQuery,
    ProductSchema,
)

blueprint = Blueprint("products", __name__, url_prefix="/products", description="The catalogue.")


@blueprint.get("")
@blueprint.allow(Access.ANYONE)
@blueprint.arguments(ProductQuery, location="query")
@blueprint.page(ListedProductSchema)
@blueprint.hot
def list_products(query: Any) -> Read:
    """Search and list products. Who may not write sees only active ones."""
    page, sort, fields = page_request(query), query.pop("sort", None), query.pop("fields", None)
    return partial(service.ask_for_page, query, page, sort, fields)


@blueprint.post("")
@blueprint.allow(Permission.CATALOGUE_WRITE)
@blueprint.idempotent
@blueprint.arguments(NewProductSchema)
@blueprint.response(201, ProductSchema)
@blueprint.located("read_product", "product_id")
@blueprint.etag
@blueprint.raises(SkuTaken)
def create_product(new: Any) -> Product:
    """Add a product. `stock` becomes its first movement."""
    stock = new.pop("stock", 0)
    return service.create(new, stock)


@blueprint.get("/<uuid:product_id>")
@blueprint.allow(Access.ANYONE)
@blueprint.response(200, ProductSchema)
@blueprint.hot
@blueprint.raises(ProductNotFound)
def read_product(product_id: UUID) -> Read:
    """Read a product."""
    return partial(representations.of_id, product_id)


@blueprint.get("/by-sku/<text:sku>")
@blueprint.allow(Access.ANYONE)
@blueprint.response(200, ProductSchema)
@blueprint.hot
@blueprint.raises(ProductNotFound)
def read_product_by_sku(sku: str) -> Read:
    """Read the product that has a SKU, in any case, and is not archived."""
    return partial(representations.of_sku, sku)


@blueprint.patch("/<uuid:product_id>")
@blueprint.allow(Permission.CATALOGUE_WRITE)
@blueprint.arguments(ProductInputSchema(partial=True))
@blueprint.response(200, ProductSchema)
@blueprint.etag
@blueprint.raises(ProductNotFound, SkuTaken)
def change_product(changes: service.ProductFields, product_id: UUID) -> Product:
    """Change the fields that are named. `status` brings an archived product back."""
    return service.change(product_id, changes, expected_version())


@blueprint.put("/<uuid:product_id>")
@blueprint.allow(Permission.CATALOGUE_WRITE)
@blueprint.arguments(ProductInputSchema)
@blueprint.response(200, ProductSchema)
@blueprint.etag
@blueprint.raises(ProductNotFound, SkuTaken)
def replace_product(fields: service.ProductFields, product_id: UUID) -> Product:
    """Replace a product: what is not named takes its default."""
    return service.replace(product_id, fields, expected_version())


@blueprint.delete("/<uuid:product_id>")
@blueprint.allow(Permission.CATALOGUE_WRITE)
@blueprint.response(204)
@blueprint.etag
@blueprint.raises(ProductNotFound)
def archive_product(product_id: UUID) -> None:
    """Archive a product. Its SKU can then be used again."""
    service.archive(product_id, expected_version())
