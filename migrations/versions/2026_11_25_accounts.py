"""Accounts: verified addresses, removal that keeps the row, recent logins, where events come from.

Revision ID: 7d1f0c5a9e21
Revises: 3c722a9e94f7
Create Date: 2026-11-25 05:20:00.000000+00:00
"""

import sqlalchemy as sa
from alembic import op

revision = "7d1f0c5a9e21"
down_revision = "3c722a9e94f7"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # Columns that may be null: the version before goes on without them, and no table is rewritten.
    op.add_column("users", sa.Column("email_verified_at", sa.DateTime(timezone=True)))
    op.add_column("users", sa.Column("password_changed_at", sa.DateTime(timezone=True)))
    op.add_column("users", sa.Column("removed_at", sa.DateTime(timezone=True)))
    op.add_column("sessions", sa.Column("authenticated_at", sa.DateTime(timezone=True)))
    op.add_column("events", sa.Column("session_id", sa.Uuid()))
    op.add_column("events", sa.Column("key_id", sa.Uuid()))
    op.add_column("events", sa.Column("address", sa.String(length=45)))
    # Only an administrator can have made these, and has vouched for the address.
    op.execute("UPDATE users SET email_verified_at = created_at WHERE role <> 'customer'")


def downgrade() -> None:
    op.drop_column("events", "address")
    op.drop_column("events", "key_id")
    op.drop_column("events", "session_id")
    op.drop_column("sessions", "authenticated_at")
    op.drop_column("users", "removed_at")
    op.drop_column("users", "password_changed_at")
    op.drop_column("users", "email_verified_at")
