from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, String, Text, text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import Mapped, mapped_column, relationship

from stockroom.core.database import Base, Entity, enum_type, new_id, now
from stockroom.outbox.models import Event
from stockroom.outbox.types import LONGEST_TYPE

LONGEST_URL = 2000
LONGEST_ERROR = 500
LONGEST_RESPONSE = 1024


class DeliveryState(StrEnum):
    """A delivery is pending until it is delivered or given up."""

    PENDING = "pending"
    DELIVERED = "delivered"
    FAILED = "failed"


class Webhook(Entity, Base):
    """An endpoint that is told of the events that its patterns choose.

    Secrets are kept as ``core.encryption`` makes them. ``failing_since`` is when the first of the
    attempts began that have failed since the last success.
    """

    __tablename__ = "webhooks"
    __table_args__ = (
        CheckConstraint("cardinality(events) BETWEEN 1 AND 50", name="events_count"),
        CheckConstraint(
            "(previous_secret IS NULL) = (previous_secret_until IS NULL)",
            name="previous_secret_until",
        ),
    )

    url: Mapped[str] = mapped_column(String(LONGEST_URL))
    events: Mapped[list[str]] = mapped_column(ARRAY(String(LONGEST_TYPE)))
    description: Mapped[str | None] = mapped_column(String(500))
    is_active: Mapped[bool] = mapped_column(default=True)
    disabled_reason: Mapped[str | None] = mapped_column(String(LONGEST_ERROR))
    failing_since: Mapped[datetime | None]
    secret: Mapped[str] = mapped_column(Text)
    previous_secret: Mapped[str | None] = mapped_column(Text)
    previous_secret_until: Mapped[datetime | None]


class Delivery(Base):
    """One event on its way to one endpoint.

    ``position`` is the event's; null until the relay has given one. ``due_at`` is the next
    attempt; while a process is at one, the moment from which another may take it over. ``claim``
    counts how often it was taken: a process that comes back too late finds another number.
    """

    __tablename__ = "webhook_deliveries"
    __table_args__ = (
        CheckConstraint("attempts >= 0", name="attempts_not_negative"),
        CheckConstraint(
            "(state = 'pending') = (finished_at IS NULL)", name="finished_unless_pending"
        ),
        Index("ix_webhook_deliveries_newest", "webhook_id", "created_at", "id"),
        Index("ix_webhook_deliveries_event_id", "event_id"),
        Index(
            "ix_webhook_deliveries_due",
            "webhook_id",
            "due_at",
            "position",
            postgresql_where=text("state = 'pending'"),
        ),
        Index(
            "ix_webhook_deliveries_pending",
            "position",
            postgresql_where=text("state = 'pending'"),
        ),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    webhook_id: Mapped[UUID] = mapped_column(ForeignKey("webhooks.id", ondelete="CASCADE"))
    event_id: Mapped[UUID] = mapped_column(ForeignKey("events.id", ondelete="CASCADE"))
    position: Mapped[int | None] = mapped_column(BigInteger)
    state: Mapped[DeliveryState] = mapped_column(
        enum_type(DeliveryState, "state"), default=DeliveryState.PENDING
    )
    attempts: Mapped[int] = mapped_column(default=0)
    claim: Mapped[int] = mapped_column(default=0)
    due_at: Mapped[datetime] = mapped_column(default=now)
    created_at: Mapped[datetime] = mapped_column(default=now)
    finished_at: Mapped[datetime | None]
    status: Mapped[int | None]
    error: Mapped[str | None] = mapped_column(String(LONGEST_ERROR))

    event: Mapped[Event] = relationship(lazy="raise", viewonly=True)
    tries: Mapped[list["Attempt"]] = relationship(
        lazy="raise", viewonly=True, order_by="Attempt.started_at"
    )


class Attempt(Base):
    """One request of a delivery, and what came back: a status, or the error that prevented one.

    ``response`` is the beginning of the answer's body, as far as it is text.
    """

    __tablename__ = "webhook_attempts"
    __table_args__ = (
        CheckConstraint("milliseconds >= 0", name="milliseconds_not_negative"),
        CheckConstraint("status IS NOT NULL OR error IS NOT NULL", name="status_or_error"),
        Index("ix_webhook_attempts_delivery_id", "delivery_id", "started_at"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    delivery_id: Mapped[UUID] = mapped_column(
        ForeignKey("webhook_deliveries.id", ondelete="CASCADE")
    )
    started_at: Mapped[datetime]
    milliseconds: Mapped[int]
    status: Mapped[int | None]
    error: Mapped[str | None] = mapped_column(String(LONGEST_ERROR))
    request_headers: Mapped[dict[str, str]] = mapped_column(JSONB)
    response: Mapped[str | None] = mapped_column(String(LONGEST_RESPONSE))
