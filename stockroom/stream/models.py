from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from stockroom.core.database import Base


class StreamTicket(Base):
    """Lets a browser in once, on behalf of a session; the ticket itself is not stored.

    ``digest`` is its SHA-256 in hexadecimal: of 256 random bits, nothing slower is needed.
    """

    __tablename__ = "stream_tickets"
    __table_args__ = (
        Index("ix_stream_tickets_session_id", "session_id"),
        Index("ix_stream_tickets_expires_at", "expires_at"),
    )

    digest: Mapped[str] = mapped_column(String(64), primary_key=True)
    user_id: Mapped[UUID]
    session_id: Mapped[UUID] = mapped_column(ForeignKey("sessions.id", ondelete="CASCADE"))
    expires_at: Mapped[datetime]
