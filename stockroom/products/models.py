from decimal import Decimal
from enum import StrEnum
from typing import Any

from sqlalchemy import BigInteger, CheckConstraint, Computed, Index, Numeric, String, func, text
from sqlalchemy.dialects.postgresql import JSONB, TSVECTOR
from sqlalchemy.orm import Mapped, deferred, mapped_column, query_expression

from stockroom.core.database import Base, Entity, enum_type


class ProductStatus(StrEnum):
    """Only active products are for everyone's eyes."""

    DRAFT = "draft"
    ACTIVE = "active"
    ARCHIVED = "archived"


# English stems find plurals; the words as they are written find the beginnings of words. Each
# part has a weight of its own, so that the rank can count one and leave out another.
SEARCH = (
    "setweight(to_tsvector('simple', sku), 'A') || "
    "setweight(to_tsvector('english', name), 'B') || "
    "setweight(to_tsvector('english', coalesce(description, '')), 'C') || "
    "setweight(to_tsvector('simple', name || ' ' || coalesce(description, '')), 'D')"
)


class Product(Entity, Base):
    """Something that is sold under a SKU (stock keeping unit).

    Several products that differ only in ``options`` (size, colour) share a ``family``.
    ``attributes`` holds whatever else the shop keeps on it. ``available`` is not stored here: the
    stock tells it to the statements that ask for it (``products.stocking``).
    """

    __tablename__ = "products"
    __table_args__ = (
        Index(
            "uq_products_sku",
            func.lower(text("sku")),
            unique=True,
            postgresql_where=text("status <> 'archived'"),
        ),
        # A search reads through what new products have left for later: 4 MB, if nothing is said.
        Index(
            "ix_products_search",
            "search",
            postgresql_using="gin",
            postgresql_with={"gin_pending_list_limit": 1024},
        ),
        Index("ix_products_name_id", "name", "id"),
        Index("ix_products_price_id", "price", "id"),
        Index("ix_products_updated_at_id", "updated_at", "id"),
        Index("ix_products_family", "family"),
        CheckConstraint("price >= 0", name="price_not_negative"),
        CheckConstraint("currency ~ '^[A-Z]{3}$'", name="currency_code"),
        CheckConstraint("sku <> '' AND name <> ''", name="sku_and_name_not_blank"),
        CheckConstraint("jsonb_typeof(options) = 'object'", name="options_object"),
        CheckConstraint("jsonb_typeof(attributes) = 'object'", name="attributes_object"),
        CheckConstraint("low_stock_threshold >= 0", name="low_stock_threshold_not_negative"),
    )

    sku: Mapped[str] = mapped_column(String(64))
    name: Mapped[str] = mapped_column(String(200))
    description: Mapped[str | None] = mapped_column(String(10_000))
    price: Mapped[Decimal] = mapped_column(Numeric(14, 3))
    currency: Mapped[str] = mapped_column(String(3))
    family: Mapped[str | None] = mapped_column(String(64))
    options: Mapped[dict[str, str]] = mapped_column(JSONB, default=dict)
    attributes: Mapped[dict[str, Any]] = mapped_column(JSONB, default=dict)
    status: Mapped[ProductStatus] = mapped_column(
        enum_type(ProductStatus, "status"),
        default=ProductStatus.ACTIVE,
    )
    low_stock_threshold: Mapped[int | None] = mapped_column(BigInteger)
    available: Mapped[int] = query_expression()
    search: Mapped[str] = deferred(mapped_column(TSVECTOR, Computed(SEARCH, persisted=True)))

    @property
    def etag(self) -> str:
        return f"{self.tag}.{self.available}"
