"""Signing keys.

Revision ID: b4d92f6e1a70
Revises: 5b8e2f60d417
Create Date: 2026-11-25 06:40:00.000000+00:00
"""

import sqlalchemy as sa
from alembic import op

revision = "b4d92f6e1a70"
down_revision = "5b8e2f60d417"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # Without a row, the first key signs: that of the version before.
    op.create_table(
        "signing_keys",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("salt", sa.LargeBinary(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("retired_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("octet_length(salt) = 32", name=op.f("ck_signing_keys_salt_length")),
        sa.CheckConstraint(
            "(salt IS NULL) = (id = '00000000-0000-0000-0000-000000000000')",
            name=op.f("ck_signing_keys_salt_but_for_first"),
        ),
        sa.CheckConstraint(
            "(retired_at IS NULL) = (expires_at IS NULL)",
            name=op.f("ck_signing_keys_retired_expires"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_signing_keys")),
    )


def downgrade() -> None:
    op.drop_table("signing_keys")
