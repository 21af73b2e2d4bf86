"""Mailed tokens, and requests for them.

Revision ID: e27b5d90c1f4
Revises: 9a41c6be0f38
Create Date: 2026-11-25 06:40:00.000000+00:00
"""

import sqlalchemy as sa
from alembic import op

revision = "e27b5d90c1f4"
down_revision = "9a41c6be0f38"
branch_labels = None
depends_on = None


def _purpose() -> sa.Enum:
    return sa.Enum(
        "verify",
        "reset",
        "change",
        name="purpose",
        native_enum=False,
        create_constraint=True,
        length=16,
    )


def upgrade() -> None:
    op.create_table(
        "mailed_tokens",
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("purpose", _purpose(), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("address", sa.String(length=254), nullable=False),
        sa.Column("new_address", sa.String(length=254), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "(purpose = 'change') = (new_address IS NOT NULL)",
            name=op.f("ck_mailed_tokens_new_address_if_change"),
        ),
        sa.ForeignKeyConstraint(
            ["user_id"],
            ["users.id"],
            name=op.f("fk_mailed_tokens_user_id_users"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("user_id", "purpose", name=op.f("pk_mailed_tokens")),
    )
    op.create_index("uq_mailed_tokens_digest", "mailed_tokens", ["digest"], unique=True)
    op.create_index("ix_mailed_tokens_expires_at", "mailed_tokens", ["expires_at"])
    op.create_table(
        "mail_requests",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("purpose", _purpose(), nullable=False),
        sa.Column("address", sa.String(length=254), nullable=False),
        sa.Column("client_address", sa.String(length=45), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_mail_requests")),
    )
    with op.get_context().autocommit_block():
        op.create_index(
            "ix_mails_address",
            "mails",
            ["address", "created_at"],
            postgresql_concurrently=True,
            if_not_exists=True,
        )


def downgrade() -> None:
    op.drop_index("ix_mails_address", table_name="mails")
    op.drop_table("mail_requests")
    op.drop_index("ix_mailed_tokens_expires_at", table_name="mailed_tokens")
    op.drop_index("uq_mailed_tokens_digest", table_name="mailed_tokens")
    op.drop_table("mailed_tokens")
