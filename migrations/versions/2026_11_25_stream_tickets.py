"""Stream tickets.

Revision ID: 3c722a9e94f7
Revises: 63f24bc10396
Create Date: 2026-11-25 02:24:19.257274+00:00
"""

import sqlalchemy as sa
from alembic import op

revision = "3c722a9e94f7"
down_revision = "63f24bc10396"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "stream_tickets",
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("session_id", sa.Uuid(), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["session_id"],
            ["sessions.id"],
            name=op.f("fk_stream_tickets_session_id_sessions"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_stream_tickets")),
    )
    op.create_index("ix_stream_tickets_expires_at", "stream_tickets", ["expires_at"])
    op.create_index("ix_stream_tickets_session_id", "stream_tickets", ["session_id"])


def downgrade() -> None:
    op.drop_index("ix_stream_tickets_session_id", table_name="stream_tickets")
    op.drop_index("ix_stream_tickets_expires_at", table_name="stream_tickets")
    op.drop_table("stream_tickets")
