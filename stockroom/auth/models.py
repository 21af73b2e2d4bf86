from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from stockroom.core.database import Base, new_id, now

FIRST_KEY_ID = UUID(int=0)
SALT_BYTES = 32


class FailedLogins(Base):
    """How often logins have failed of late: of an account, from a network, or of both together.

    ``account`` and ``network`` are keyed digests, empty where the row counts all of them; so the
    row of an address without an account looks like any other. A row of both together is where the
    account is at home: it has logged in from there, and until ``trusted_until`` its failures there
    count here, and those of strangers elsewhere do not.
    """

    __tablename__ = "failed_logins"
    __table_args__ = (
        CheckConstraint("failures >= 0", name="failures_not_negative"),
        Index("ix_failed_logins_counted_at", "counted_at"),
    )

    account: Mapped[str] = mapped_column(String(64), primary_key=True)
    network: Mapped[str] = mapped_column(String(64), primary_key=True)
    failures: Mapped[int] = mapped_column(default=0)
    counted_at: Mapped[datetime]
    blocked_until: Mapped[datetime | None]
    trusted_until: Mapped[datetime | None]


class LoginSession(Base):
    """One login of one device, until it ends or expires.

    ``counter`` is the number that the newest refresh token carries. No token is stored.
    ``authenticated_at`` is when its user last gave the password.
    """

    __tablename__ = "sessions"
    __table_args__ = (
        CheckConstraint("counter >= 0", name="counter_not_negative"),
        Index("ix_sessions_user_id", "user_id"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    counter: Mapped[int] = mapped_column(default=0)
    created_at: Mapped[datetime] = mapped_column(default=now)
    authenticated_at: Mapped[datetime | None]
    last_used_at: Mapped[datetime] = mapped_column(default=now)
    expires_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    device: Mapped[str | None] = mapped_column(String(300))
    address: Mapped[str | None] = mapped_column(String(45))


class SigningKey(Base):
    """A key that signs tokens, or has signed them; ``auth.signing`` makes it of the salt.

    The first key is the setting itself, and has none; nor is it known since when it is used.
    ``expires_at`` is when a key verifies no more.
    """

    __tablename__ = "signing_keys"
    __table_args__ = (
        CheckConstraint(f"octet_length(salt) = {SALT_BYTES}", name="salt_length"),
        CheckConstraint(f"(salt IS NULL) = (id = '{FIRST_KEY_ID}')", name="salt_but_for_first"),
        CheckConstraint("(retired_at IS NULL) = (expires_at IS NULL)", name="retired_expires"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    salt: Mapped[bytes | None] = mapped_column(LargeBinary)
    created_at: Mapped[datetime | None]
    retired_at: Mapped[datetime | None]
    expires_at: Mapped[datetime | None]
