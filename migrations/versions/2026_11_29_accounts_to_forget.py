"""Accounts that were removed, and are looked at again.

Revision ID: c19e7a5f2d40
Revises: b4f8d1c63a97
Create Date: 2026-11-29 20:50:00.000000+00:00
"""

import sqlalchemy as sa
from alembic import op

revision = "c19e7a5f2d40"
down_revision = "b4f8d1c63a97"
branch_labels = None
depends_on = None

_WHICH = "removed_at IS NOT NULL AND forgotten_at IS NULL"


def upgrade() -> None:
    # Of one that gave up half-way the column is there, and maybe an index that is not valid.
    column = sa.Column("forgotten_at", sa.DateTime(timezone=True), nullable=True)
    op.add_column("users", column, if_not_exists=True)
    with op.get_context().autocommit_block():
        op.drop_index(
            "ix_users_to_forget", table_name="users", postgresql_concurrently=True, if_exists=True
        )
        op.create_index(
            "ix_users_to_forget",
            "users",
            ["removed_at"],
            postgresql_concurrently=True,
            postgresql_where=sa.text(_WHICH),
        )


def downgrade() -> None:
    op.drop_index("ix_users_to_forget", table_name="users", postgresql_where=sa.text(_WHICH))
    op.drop_column("users", "forgotten_at")
