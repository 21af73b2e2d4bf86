from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from stockroom.core.database import Base, enum_type, new_id, now

LONGEST_ERROR = 500


class MailState(StrEnum):
    """A mail is pending until a server has taken it, or it is given up."""

    PENDING = "pending"
    SENT = "sent"
    FAILED = "failed"


class Mail(Base):
    """One mail to one address.

    ``params``, of which its text is made, can hold links that let somebody in: they are encrypted,
    and removed once they have done their duty. ``user_id`` is whose account it is about, wherever
    it goes: a person may have had other addresses, or have asked for one. ``address`` is a digest
    for a while where the account was removed just after the mail was sent.
    """

    __tablename__ = "mails"
    __table_args__ = (
        CheckConstraint("(state = 'pending') = (params IS NOT NULL)", name="params_while_pending"),
        CheckConstraint("(state = 'sent') = (sent_at IS NOT NULL)", name="sent_at_if_sent"),
        CheckConstraint("attempts >= 0", name="attempts_not_negative"),
        Index("ix_mails_due", "due_at", postgresql_where=text("state = 'pending'")),
        Index("ix_mails_created_at", "created_at"),
        Index("ix_mails_address", "address", "created_at"),
        Index("ix_mails_user_id", "user_id", postgresql_where=text("user_id IS NOT NULL")),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    address: Mapped[str] = mapped_column(String(254))
    user_id: Mapped[UUID | None]
    template: Mapped[str] = mapped_column(String(64))
    params: Mapped[str | None] = mapped_column(Text)
    state: Mapped[MailState] = mapped_column(
        enum_type(MailState, "state"), default=MailState.PENDING
    )
    attempts: Mapped[int] = mapped_column(default=0)
    due_at: Mapped[datetime] = mapped_column(default=now)
    created_at: Mapped[datetime] = mapped_column(default=now)
    sent_at: Mapped[datetime | None]
    error: Mapped[str | None] = mapped_column(String(LONGEST_ERROR))
