from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from stockroom.core.database import Base, enum_type, new_id, now


class Purpose(StrEnum):
    """What a token from a mail is good for."""

    VERIFY = "verify"
    RESET = "reset"
    CHANGE = "change"


class MailedToken(Base):
    """A token that was mailed to an account's address, or to the one that is to be its address.

    ``digest`` is its SHA-256 in hexadecimal: of 256 random bits, nothing slower is needed. There is
    one of each purpose at most; ``address`` is what the account had when it was made.
    """

    __tablename__ = "mailed_tokens"
    __table_args__ = (
        CheckConstraint(
            "(purpose = 'change') = (new_address IS NOT NULL)", name="new_address_if_change"
        ),
        Index("uq_mailed_tokens_digest", "digest", unique=True),
        Index("ix_mailed_tokens_expires_at", "expires_at"),
    )

    user_id: Mapped[UUID] = mapped_column(
        ForeignKey("users.id", ondelete="CASCADE"), primary_key=True
    )
    purpose: Mapped[Purpose] = mapped_column(enum_type(Purpose, "purpose"), primary_key=True)
    digest: Mapped[str] = mapped_column(String(64))
    address: Mapped[str] = mapped_column(String(254))
    new_address: Mapped[str | None] = mapped_column(String(254))
    created_at: Mapped[datetime] = mapped_column(default=now)
    expires_at: Mapped[datetime]


class MailRequest(Base):
    """Somebody asks for a mail to an address; whether anybody has it is looked up later.

    Until then the request does the same for every address. The row is removed with the answer.
    """

    __tablename__ = "mail_requests"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    purpose: Mapped[Purpose] = mapped_column(enum_type(Purpose, "purpose"))
    address: Mapped[str] = mapped_column(String(254))
    client_address: Mapped[str | None] = mapped_column(String(45))
