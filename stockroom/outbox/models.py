from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, Identity, Index, String, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from stockroom.core.database import Base, new_id, now
from stockroom.outbox.types import GRAMMAR, LONGEST_TYPE


class Event(Base):
    """Something that happened, committed together with the change that it tells of.

    ``sequence`` is the order of recording, with gaps; ``position`` the relay's, without. A type is
    not held to ``EventType``: during an update the older version reads those of the newer one.
    ``address``, ``session_id`` and ``key_id`` say where it was done from.
    """

    __tablename__ = "events"
    __table_args__ = (
        CheckConstraint(f"type ~ '^{GRAMMAR}$'", name="type_grammar"),
        CheckConstraint("position > 0", name="position_positive"),
        CheckConstraint("jsonb_typeof(data) = 'object'", name="data_object"),
        Index("uq_events_position", "position", unique=True),
        Index("ix_events_waiting", "sequence", postgresql_where=text("position IS NULL")),
        Index("ix_events_subject", "subject"),
        Index("ix_events_type_position", "type", "position"),
        Index("ix_events_actor_id", "actor_id", postgresql_where=text("actor_id IS NOT NULL")),
        Index("ix_events_occurred_at", "occurred_at"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    sequence: Mapped[int] = mapped_column(BigInteger, Identity(always=True))
    position: Mapped[int | None] = mapped_column(BigInteger)
    type: Mapped[str] = mapped_column(String(LONGEST_TYPE))
    subject: Mapped[UUID]
    is_public: Mapped[bool] = mapped_column(default=False)
    occurred_at: Mapped[datetime] = mapped_column(default=now)
    actor_id: Mapped[UUID | None]
    session_id: Mapped[UUID | None]
    key_id: Mapped[UUID | None]
    address: Mapped[str | None] = mapped_column(String(45))
    request_id: Mapped[str | None] = mapped_column(String(128))
    data: Mapped[dict[str, Any]] = mapped_column(JSONB)


class Cursor(Base):
    """How far somebody has come: the relay in giving positions, each sink in taking events."""

    __tablename__ = "event_cursors"
    __table_args__ = (CheckConstraint("position >= 0", name="position_not_negative"),)

    name: Mapped[str] = mapped_column(String(32), primary_key=True)
    position: Mapped[int] = mapped_column(BigInteger)
