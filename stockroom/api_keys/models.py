from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column, relationship

from stockroom.core.database import Base, new_id, now
from stockroom.users.models import User


class ApiKey(Base):
    """Lets a machine act for its owner, within its scopes, until it expires or is revoked.

    One that is revoked has no row any more; events tell of it. The key itself is not stored:
    ``digest`` is its SHA-256 in hexadecimal (of 256 random bits, nothing slower is needed), and
    ``prefix`` is how it begins, so that its owner can tell it from others.
    """

    __tablename__ = "api_keys"
    __table_args__ = (
        UniqueConstraint("digest"),
        CheckConstraint("cardinality(scopes) > 0", name="scopes_not_empty"),
        Index("ix_api_keys_user_id", "user_id"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    name: Mapped[str] = mapped_column(String(100))
    prefix: Mapped[str] = mapped_column(String(8))
    digest: Mapped[str] = mapped_column(String(64))
    scopes: Mapped[list[str]] = mapped_column(ARRAY(String(64)))
    created_at: Mapped[datetime] = mapped_column(default=now)
    expires_at: Mapped[datetime | None]
    last_used_at: Mapped[datetime | None]

    owner: Mapped[User] = relationship(lazy="raise", viewonly=True)
