"""What waits for the index of searches is short.

Revision ID: 7c0d5be2a9f4
Revises: 1d6e9f42ab35
Create Date: 2026-11-29 10:55:00.000000+00:00
"""

from alembic import op

revision = "7c0d5be2a9f4"
down_revision = "1d6e9f42ab35"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # Each search reads through all that new products have left for later, 4 MB by default. Whoever
    # reads or writes products waits for the lock that this takes, until its commit just behind it.
    op.execute("ALTER INDEX ix_products_search SET (gin_pending_list_limit = 1024)")


def downgrade() -> None:
    op.execute("ALTER INDEX ix_products_search RESET (gin_pending_list_limit)")
