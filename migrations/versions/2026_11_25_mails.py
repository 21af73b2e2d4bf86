"""Mails.

Revision ID: 63f24bc10396
Revises: 65cb9c430c75
Create Date: 2026-11-25 03:16:30.970116+00:00
"""

import sqlalchemy as sa
from alembic import op

revision = "63f24bc10396"
down_revision = "65cb9c430c75"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "mails",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("address", sa.String(length=254), nullable=False),
        sa.Column("template", sa.String(length=64), nullable=False),
        sa.Column("params", sa.Text(), nullable=True),
        sa.Column(
            "state",
            sa.Enum(
                "pending",
                "sent",
                "failed",
                name="state",
                native_enum=False,
                create_constraint=True,
                length=16,
            ),
            nullable=False,
        ),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("error", sa.String(length=500), nullable=True),
        sa.CheckConstraint(
            "(state = 'pending') = (params IS NOT NULL)", name=op.f("ck_mails_params_while_pending")
        ),
        sa.CheckConstraint(
            "(state = 'sent') = (sent_at IS NOT NULL)", name=op.f("ck_mails_sent_at_if_sent")
        ),
        sa.CheckConstraint("attempts >= 0", name=op.f("ck_mails_attempts_not_negative")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_mails")),
    )
    op.create_index("ix_mails_created_at", "mails", ["created_at"], unique=False)
    op.create_index(
        "ix_mails_due",
        "mails",
        ["due_at"],
        unique=False,
        postgresql_where=sa.text("state = 'pending'"),
    )


def downgrade() -> None:
    op.drop_index("ix_mails_due", table_name="mails", postgresql_where=sa.text("state = 'pending'"))
    op.drop_index("ix_mails_created_at", table_name="mails")
    op.drop_table("mails")
