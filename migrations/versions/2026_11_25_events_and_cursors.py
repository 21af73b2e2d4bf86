"""Events and cursors.

Revision ID: 950d43c135dd
Revises: 0bf4bc1d2aa8
Create Date: 2026-11-25 01:57:18.668926+00:00
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "950d43c135dd"
down_revision = "0bf4bc1d2aa8"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "event_cursors",
        sa.Column("name", sa.String(length=32), nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("position >= 0", name=op.f("ck_event_cursors_position_not_negative")),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_event_cursors")),
    )
    op.create_table(
        "events",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("sequence", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=True),
        sa.Column("type", sa.String(length=64), nullable=False),
        sa.Column("subject", sa.Uuid(), nullable=False),
        sa.Column("is_public", sa.Boolean(), nullable=False),
        sa.Column("occurred_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("actor_id", sa.Uuid(), nullable=True),
        sa.Column("request_id", sa.String(length=128), nullable=True),
        sa.Column("data", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.CheckConstraint("jsonb_typeof(data) = 'object'", name=op.f("ck_events_data_object")),
        sa.CheckConstraint(
            "type ~ '^[a-z]+(_[a-z]+)*\\.[a-z]+(_[a-z]+)*$'", name=op.f("ck_events_type_grammar")
        ),
        sa.CheckConstraint("position > 0", name=op.f("ck_events_position_positive")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_events")),
    )
    op.create_index(
        "ix_events_actor_id",
        "events",
        ["actor_id"],
        unique=False,
        postgresql_where=sa.text("actor_id IS NOT NULL"),
    )
    op.create_index("ix_events_occurred_at", "events", ["occurred_at"], unique=False)
    op.create_index("ix_events_subject", "events", ["subject"], unique=False)
    op.create_index("ix_events_type_position", "events", ["type", "position"], unique=False)
    op.create_index(
        "ix_events_waiting",
        "events",
        ["sequence"],
        unique=False,
        postgresql_where=sa.text("position IS NULL"),
    )
    op.create_index("uq_events_position", "events", ["position"], unique=True)


def downgrade() -> None:
    op.drop_index("uq_events_position", table_name="events")
    op.drop_index(
        "ix_events_waiting", table_name="events", postgresql_where=sa.text("position IS NULL")
    )
    op.drop_index("ix_events_type_position", table_name="events")
    op.drop_index("ix_events_subject", table_name="events")
    op.drop_index("ix_events_occurred_at", table_name="events")
    op.drop_index(
        "ix_events_actor_id", table_name="events", postgresql_where=sa.text("actor_id IS NOT NULL")
    )
    op.drop_table("events")
    op.drop_table("event_cursors")
