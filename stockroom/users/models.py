from datetime import datetime

from sqlalchemy import CheckConstraint, Index, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from stockroom.core.database import Base, Entity, enum_type
from stockroom.core.permissions import Role


class User(Entity, Base):
    """An account. ``email`` is kept in lower case, so that it is unique regardless of case.

    The row of one that is removed stays, for what the books tell of it, with nothing on a person.
    ``forgotten_at`` is when what was under way at the removal was forgotten as well.
    """

    __tablename__ = "users"
    __table_args__ = (
        UniqueConstraint("email"),
        CheckConstraint("email = lower(email)", name="email_lower"),
        Index("ix_users_role", "role"),
        Index(
            "ix_users_to_forget",
            "removed_at",
            postgresql_where=text("removed_at IS NOT NULL AND forgotten_at IS NULL"),
        ),
    )

    email: Mapped[str] = mapped_column(String(254))
    full_name: Mapped[str | None] = mapped_column(String(200))
    password_hash: Mapped[str] = mapped_column(String(255))
    role: Mapped[Role] = mapped_column(
        enum_type(Role, "role"),
        default=Role.CUSTOMER,
    )
    is_active: Mapped[bool] = mapped_column(default=True)
    email_verified_at: Mapped[datetime | None]
    password_changed_at: Mapped[datetime | None]
    removed_at: Mapped[datetime | None]
    forgotten_at: Mapped[datetime | None]
    # Who is let in again logs in again: sessions from before do not come back to life.
    sessions_void_before: Mapped[datetime | None]

    @property
    def email_verified(self) -> bool:
        return self.email_verified_at is not None
