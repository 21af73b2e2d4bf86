"""Products are stored in one piece, so that a search need not fetch the vector of each from elsewhere.

Rows that are there already stay as they are until they are written anew.

Revision ID: 8c35d0e7b6f1
Revises: 1d6e9f42ab35
Create Date: 2026-11-28 21:30:00.000000+00:00
"""

from alembic import op

revision = "8c35d0e7b6f1"
down_revision = "1d6e9f42ab35"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # It waits for nobody who reads or writes, and nobody for it.
    op.execute("ALTER TABLE products SET (toast_tuple_target = 8160)")


def downgrade() -> None:
    op.execute("ALTER TABLE products RESET (toast_tuple_target)")
