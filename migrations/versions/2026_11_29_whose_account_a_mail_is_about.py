"""Whose account a mail is about.

Revision ID: b4f8d1c63a97
Revises: 7c0d5be2a9f4
Create Date: 2026-11-29 20:40:00.000000+00:00
"""

import sqlalchemy as sa
from alembic import op

revision = "b4f8d1c63a97"
down_revision = "7c0d5be2a9f4"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # Of one that gave up half-way the column is there, and maybe an index that is not valid.
    op.add_column("mails", sa.Column("user_id", sa.Uuid(), nullable=True), if_not_exists=True)
    with op.get_context().autocommit_block():
        op.drop_index(
            "ix_mails_user_id", table_name="mails", postgresql_concurrently=True, if_exists=True
        )
        op.create_index(
            "ix_mails_user_id",
            "mails",
            ["user_id"],
            postgresql_concurrently=True,
            postgresql_where=sa.text("user_id IS NOT NULL"),
        )


def downgrade() -> None:
    op.drop_index(
        "ix_mails_user_id", table_name="mails", postgresql_where=sa.text("user_id IS NOT NULL")
    )
    op.drop_column("mails", "user_id")
