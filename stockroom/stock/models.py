from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    ForeignKey,
    ForeignKeyConstraint,
    Identity,
    Index,
    String,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column, relationship

from stockroom.core.database import Base, Entity, enum_type, new_id, now

MAIN = "main"
"""The location that is always there, and meant where none is named."""


class MovementKind(StrEnum):
    """Why there is more or less: what came in, went out, was counted, came back, changed place."""

    RECEIVED = "received"
    SHIPPED = "shipped"
    ADJUSTED = "adjusted"
    RETURNED = "returned"
    TRANSFERRED = "transferred"


class ReservationStatus(StrEnum):
    HELD = "held"
    COMMITTED = "committed"
    RELEASED = "released"
    EXPIRED = "expired"


class Location(Entity, Base):
    """A place where goods lie. Its code never changes: the ledger speaks of it."""

    __tablename__ = "locations"
    __table_args__ = (UniqueConstraint("code"),)

    code: Mapped[str] = mapped_column(String(32))
    name: Mapped[str] = mapped_column(String(200))


class Level(Base):
    """How many pieces of a product lie at a location, and how many of these are promised."""

    __tablename__ = "stock_levels"
    __table_args__ = (
        CheckConstraint("0 <= reserved AND reserved <= on_hand", name="reserved_within_on_hand"),
    )

    product_id: Mapped[UUID] = mapped_column(ForeignKey("products.id"), primary_key=True)
    location: Mapped[str] = mapped_column(
        String(32), ForeignKey("locations.code"), primary_key=True
    )
    on_hand: Mapped[int] = mapped_column(BigInteger, default=0)
    reserved: Mapped[int] = mapped_column(BigInteger, default=0)


class Movement(Base):
    """A line of the ledger, which the database lets nobody change or remove.

    ``change`` is signed, and ``balance`` what is on hand after it, in the order of recording:
    ``sequence``. ``ordinal`` tells rows of a file apart that share a reference, so that the file
    can be imported again.
    """

    __tablename__ = "stock_movements"
    __table_args__ = (
        ForeignKeyConstraint(
            ["product_id", "location"], ["stock_levels.product_id", "stock_levels.location"]
        ),
        CheckConstraint("change <> 0", name="change_not_zero"),
        CheckConstraint("balance >= 0", name="balance_not_negative"),
        CheckConstraint(
            "kind NOT IN ('received', 'returned') OR change > 0", name="what_comes_in_is_positive"
        ),
        CheckConstraint("kind <> 'shipped' OR change < 0", name="what_goes_out_is_negative"),
        CheckConstraint("kind <> 'adjusted' OR reason IS NOT NULL", name="adjusted_has_a_reason"),
        Index("ix_stock_movements_product_id_sequence", "product_id", "sequence"),
        Index("ix_stock_movements_actor_id", "actor_id"),
        Index(
            "uq_stock_movements_imported",
            "reference",
            "product_id",
            "location",
            "kind",
            "ordinal",
            unique=True,
            postgresql_where=text("ordinal IS NOT NULL"),
        ),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    sequence: Mapped[int] = mapped_column(BigInteger, Identity(always=True))
    product_id: Mapped[UUID]
    location: Mapped[str] = mapped_column(String(32))
    kind: Mapped[MovementKind] = mapped_column(enum_type(MovementKind, "kind"))
    change: Mapped[int] = mapped_column(BigInteger)
    balance: Mapped[int] = mapped_column(BigInteger)
    reason: Mapped[str | None] = mapped_column(String(500))
    reference: Mapped[str | None] = mapped_column(String(200))
    ordinal: Mapped[int | None]
    actor_id: Mapped[UUID | None]
    occurred_at: Mapped[datetime]
    recorded_at: Mapped[datetime] = mapped_column(default=now)

    @property
    def quantity(self) -> int:
        """The pieces moved, as a client gives them: signed for an adjustment alone."""
        return self.change if self.kind is MovementKind.ADJUSTED else abs(self.change)


class Reservation(Entity, Base):
    """Pieces that are kept for somebody until ``expires_at``, all of them or none."""

    __tablename__ = "reservations"
    __table_args__ = (
        CheckConstraint("(status = 'held') = (ended_at IS NULL)", name="ended_unless_held"),
        Index("ix_reservations_due", "expires_at", postgresql_where=text("status = 'held'")),
        Index("ix_reservations_user_id_id", "user_id", "id"),
    )

    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id"))
    status: Mapped[ReservationStatus] = mapped_column(
        enum_type(ReservationStatus, "status"), default=ReservationStatus.HELD
    )
    reference: Mapped[str | None] = mapped_column(String(200))
    expires_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    lines: Mapped[list["ReservationLine"]] = relationship(
        order_by="ReservationLine.position", lazy="raise"
    )

    @property
    def is_overdue(self) -> bool:
        """Whether its time is up, and nobody has written that down yet."""
        return self.status is ReservationStatus.HELD and self.expires_at <= now()

    @property
    def present_status(self) -> ReservationStatus:
        """The status as a reader has to see it: what is overdue has expired."""
        return ReservationStatus.EXPIRED if self.is_overdue else self.status

    @property
    def etag(self) -> str:
        return f"{self.tag}.{self.present_status}"


class ReservationLine(Base):
    """Pieces of one product at one location, ``sku`` as it was when they were reserved.

    Lines stand in the order in which they were asked for; one that is served from several places
    is several.
    """

    __tablename__ = "reservation_lines"
    __table_args__ = (
        ForeignKeyConstraint(
            ["product_id", "location"], ["stock_levels.product_id", "stock_levels.location"]
        ),
        CheckConstraint("quantity > 0", name="quantity_positive"),
    )

    reservation_id: Mapped[UUID] = mapped_column(ForeignKey("reservations.id"), primary_key=True)
    position: Mapped[int] = mapped_column(primary_key=True)
    product_id: Mapped[UUID]
    location: Mapped[str] = mapped_column(String(32))
    sku: Mapped[str] = mapped_column(String(64))
    quantity: Mapped[int] = mapped_column(BigInteger)
