from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from stockroom.core.database import Base, new_id, now


class SecondFactor(Base):
    """The secret that an account shares with an authenticator; not in force until confirmed.

    ``last_step`` is the time step of the last code that was accepted: none at it or before it is
    accepted again (RFC 6238, 5.2).
    """

    __tablename__ = "second_factors"

    user_id: Mapped[UUID] = mapped_column(
        ForeignKey("users.id", ondelete="CASCADE"), primary_key=True
    )
    secret: Mapped[str] = mapped_column(String(500))
    last_step: Mapped[int] = mapped_column(BigInteger, default=0)
    created_at: Mapped[datetime] = mapped_column(default=now)
    enabled_at: Mapped[datetime | None]


class RecoveryCode(Base):
    """One of ten codes for who has lost the authenticator; only its keyed digest is kept."""

    __tablename__ = "recovery_codes"
    __table_args__ = (Index("uq_recovery_codes_user_id_digest", "user_id", "digest", unique=True),)

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    digest: Mapped[str] = mapped_column(String(64))
