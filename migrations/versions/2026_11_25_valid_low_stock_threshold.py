"""Thresholds of products are checked.

Revision ID: 1d6e9f42ab35
Revises: c81e5b07f2a4
Create Date: 2026-11-25 17:45:00.000000+00:00
"""

from alembic import op

revision = "1d6e9f42ab35"
down_revision = "c81e5b07f2a4"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # In a transaction of its own: the one that adds a constraint locks everybody out to its end.
    with op.get_context().autocommit_block():
        op.execute(
            "ALTER TABLE products VALIDATE CONSTRAINT ck_products_low_stock_threshold_not_negative"
        )


def downgrade() -> None:
    op.drop_constraint("ck_products_low_stock_threshold_not_negative", "products")
    op.create_check_constraint(
        op.f("ck_products_low_stock_threshold_not_negative"),
        "products",
        "low_stock_threshold >= 0",
        postgresql_not_valid=True,
    )
