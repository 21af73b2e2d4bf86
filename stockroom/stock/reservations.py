"""Promising pieces to somebody for a time, all lines of an order or none."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from uuid import UUID

from sqlalchemy.orm import Session

from stockroom.core.database import new_id, now
from stockroom.core.pagination import Page, PageRequest, read_page
from stockroom.core.permissions import PERMISSIONS, Caller, Permission
from stockroom.core.transaction import reading, retried, transaction
from stockroom.stock import repository
from stockroom.stock.allocation import Part, Wish, allocate, shared_out, shortages
from stockroom.stock.books import LOCK_SECONDS, Books
from stockroom.stock.errors import ReservationEnded, ReservationNotFound, Shortage
from stockroom.stock.events import record_ended, record_extended, record_reserved
from stockroom.stock.expiry import after_expiry, books_of, end
from stockroom.stock.filters import ReservationFilters
from stockroom.stock.lines import Line, items_of, require_locations
from stockroom.stock.models import Reservation, ReservationLine, ReservationStatus
from stockroom.stock.values import Item

HOLD_SECONDS = 600
LONGEST_HOLD_SECONDS = 24 * 60 * 60


@retried
@after_expiry
def create(
    caller: Caller,
    lines: Sequence[Line],
    hold_seconds: int = HOLD_SECONDS,
    reference: str | None = None,
) -> Reservation:
    """Promise pieces to the caller. Lines of one product are added up before they are checked.

    :param lines: see ``Line``; without a location they come from one that can serve them all, if
        there is one, else from several.
    :raises InvalidInput: for a product or a location that there is not.
    :raises InsufficientStock: naming every product that is short; nothing is promised then.
    :raises Busy: if other changes were in the way, again and again.
    """
    with transaction(lock_seconds=LOCK_SECONDS) as session:
        items = items_of(session, lines, to_staff=sees_all(caller))
        require_locations(session, lines)
        wishes = [
            ((items[number].id, line.get("location")), line["quantity"])
            for number, line in enumerate(lines)
        ]
        wanted = _added_up(wishes)
        books = Books(session, {item.id: item for item in items.values()}.values())
        available = books.available()
        if short := shortages(wanted, available):
            books.refuse(list(_told(short, wanted, books.items)))
        taken = allocate(wanted, available)
        for key, quantity in taken.items():
            books.hold(key, quantity)
        parts = [part for line in shared_out(wishes, taken) for part in line]
        reservation = _new(caller.user_id, parts, books.items)
        reservation.reference = reference
        reservation.expires_at = reservation.created_at + timedelta(seconds=hold_seconds)
        repository.reservations.add(session, reservation)
        record_reserved(session, reservation)
        books.close()
    return reservation


def get(caller: Caller, reservation_id: UUID) -> Reservation:
    """:raises ReservationNotFound: if there is none, or none that the caller may see."""
    with reading() as session:
        return _seen(caller, repository.reservations.get(session, reservation_id))


def search(caller: Caller, filters: ReservationFilters, page: PageRequest) -> Page[Reservation]:
    """The caller's reservations, or everybody's where the caller may see them, newest first."""
    chosen = filters if sees_all(caller) else {**filters, "user_id": caller.user_id}
    with reading() as session:
        statement = repository.reservations.matching(chosen)
        return read_page(session, statement, repository.reservations.NEWEST_FIRST, page)


@retried
def commit(caller: Caller, reservation_id: UUID) -> Reservation:
    """Ship what is reserved. Of one that is committed already nothing is shipped again.

    :raises ReservationNotFound: if there is none, or none that the caller may see.
    :raises ReservationEnded: if it was released or has expired.
    """
    with transaction(lock_seconds=LOCK_SECONDS) as session:
        reservation = _locked(session, caller, reservation_id)
        if reservation.status is ReservationStatus.COMMITTED:
            return reservation
        _require_held(reservation)
        books = books_of(session, [reservation])
        reference = reservation.reference or str(reservation.id)
        for line in reservation.lines:
            key = (line.product_id, line.location)
            books.ship_held(key, line.quantity, reference=reference)
        reservation.status, reservation.ended_at = ReservationStatus.COMMITTED, now()
        record_ended(session, reservation)
        books.close()
    return reservation


@retried
def release(caller: Caller, reservation_id: UUID) -> Reservation:
    """Give back what is reserved. One that is released already stays as it is.

    :raises ReservationNotFound: if there is none, or none that the caller may see.
    :raises ReservationEnded: if it was committed or has expired.
    """
    with transaction(lock_seconds=LOCK_SECONDS) as session:
        reservation = _locked(session, caller, reservation_id)
        if reservation.status is ReservationStatus.RELEASED:
            return reservation
        _require_held(reservation)
        books = books_of(session, [reservation])
        end(session, books, reservation, ReservationStatus.RELEASED)
        books.close()
    return reservation


@retried
def extend(caller: Caller, reservation_id: UUID, hold_seconds: int = HOLD_SECONDS) -> Reservation:
    """Hold it for so many seconds from now, if that is longer than it is held already.

    :raises ReservationNotFound: if there is none, or none that the caller may see.
    :raises ReservationEnded: if it is over.
    """
    with transaction(lock_seconds=LOCK_SECONDS) as session:
        reservation = _locked(session, caller, reservation_id)
        _require_held(reservation)
        until = now() + timedelta(seconds=hold_seconds)
        if until > reservation.expires_at:
            reservation.expires_at = until
            record_extended(session, reservation)
    return reservation


def sees_all(caller: Caller) -> bool:
    """Whether reservations of others are open to the caller. An API key has the one scope for all:
    it does with it what its owner's role may.
    """
    return Permission.STOCK_WRITE in PERMISSIONS[caller.role]


def _added_up(wishes: Sequence[tuple[Wish, int]]) -> dict[Wish, int]:
    wanted = Counter[Wish]()
    for wish, quantity in wishes:
        wanted[wish] += quantity
    return dict(wanted)


def _told(
    short: Mapping[Wish, int], wanted: Mapping[Wish, int], items: Mapping[UUID, Item]
) -> Iterator[Shortage]:
    for wish, available in short.items():
        product_id, location = wish
        yield Shortage(product_id, items[product_id].sku, location, wanted[wish], available)


def _new(user_id: UUID, parts: Sequence[Part], items: Mapping[UUID, Item]) -> Reservation:
    moment, reservation_id = now(), new_id()
    lines = [
        ReservationLine(
            reservation_id=reservation_id,
            position=position,
            product_id=product_id,
            location=location,
            sku=items[product_id].sku,
            quantity=quantity,
        )
        for position, ((product_id, location), quantity) in enumerate(parts, start=1)
    ]
    return Reservation(
        id=reservation_id,
        user_id=user_id,
        status=ReservationStatus.HELD,
        version=1,
        created_at=moment,
        updated_at=moment,
        lines=lines,
    )


def _locked(session: Session, caller: Caller, reservation_id: UUID) -> Reservation:
    return _seen(caller, repository.reservations.lock(session, reservation_id))


def _seen(caller: Caller, reservation: Reservation | None) -> Reservation:
    if reservation is None or not (reservation.user_id == caller.user_id or sees_all(caller)):
        raise ReservationNotFound
    return reservation


def _require_held(reservation: Reservation) -> None:
    status = reservation.present_status
    if status is not ReservationStatus.HELD:
        raise ReservationEnded(f"The reservation has been {status}.", state=status.value)
