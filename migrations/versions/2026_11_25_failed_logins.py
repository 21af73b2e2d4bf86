"""Failed logins.

Revision ID: b3e8d7714c50
Revises: 7d1f0c5a9e21
Create Date: 2026-11-25 05:35:00.000000+00:00
"""

import sqlalchemy as sa
from alembic import op

revision = "b3e8d7714c50"
down_revision = "7d1f0c5a9e21"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "failed_logins",
        sa.Column("account", sa.String(length=64), nullable=False),
        sa.Column("network", sa.String(length=64), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("counted_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("blocked_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("trusted_until", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("failures >= 0", name=op.f("ck_failed_logins_failures_not_negative")),
        sa.PrimaryKeyConstraint("account", "network", name=op.f("pk_failed_logins")),
    )
    op.create_index("ix_failed_logins_counted_at", "failed_logins", ["counted_at"])


def downgrade() -> None:
    op.drop_index("ix_failed_logins_counted_at", table_name="failed_logins")
    op.drop_table("failed_logins")
