"""Second factors and recovery codes.

Revision ID: 9a41c6be0f38
Revises: b4d92f6e1a70
Create Date: 2026-11-25 06:30:00.000000+00:00
"""

import sqlalchemy as sa
from alembic import op

revision = "9a41c6be0f38"
down_revision = "b4d92f6e1a70"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "second_factors",
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("secret", sa.String(length=500), nullable=False),
        sa.Column("last_step", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("enabled_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["user_id"],
            ["users.id"],
            name=op.f("fk_second_factors_user_id_users"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("user_id", name=op.f("pk_second_factors")),
    )
    op.create_table(
        "recovery_codes",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(
            ["user_id"],
            ["users.id"],
            name=op.f("fk_recovery_codes_user_id_users"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_recovery_codes")),
    )
    op.create_index(
        "uq_recovery_codes_user_id_digest", "recovery_codes", ["user_id", "digest"], unique=True
    )


def downgrade() -> None:
    op.drop_index("uq_recovery_codes_user_id_digest", table_name="recovery_codes")
    op.drop_table("recovery_codes")
    op.drop_table("second_factors")
