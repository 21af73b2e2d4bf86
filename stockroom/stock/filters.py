"""What lists of movements and of reservations can be narrowed by."""

from enum import StrEnum
from typing import TypedDict
from uuid import UUID

from stockroom.stock.models import MovementKind, ReservationStatus


class Step(StrEnum):
    """The distance between two points of a history."""

    HOUR = "hour"
    DAY = "day"
    WEEK = "week"
    MONTH = "month"


class MovementFilters(TypedDict, total=False):
    kind: MovementKind
    location: str
    reference: str


class ReservationFilters(TypedDict, total=False):
    """:ivar user_id: only those of one account."""

    user_id: UUID
    status: ReservationStatus
