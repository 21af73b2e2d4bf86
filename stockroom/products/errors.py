from stockroom.core.errors import Conflict, NotFound


class ProductNotFound(NotFound):
    """There is no such product, or it is not (or no longer) for sale."""

    slug = "product-not-found"
    title = "No such product"


class SkuTaken(Conflict):
    """A product that is not archived has this SKU, perhaps in another case. Change that product,
    archive it, or choose another SKU.
    """

    slug = "sku-taken"
    title = "The SKU is in use"
    constraint = "uq_products_sku"
