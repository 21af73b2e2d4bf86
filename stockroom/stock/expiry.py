"""Giving back what was promised for a time that is up.

Nobody waits for the job that does it: readers leave overdue reservations out of what is promised,
and whoever finds too few pieces gives back what is overdue first.
"""

from collections import Counter
from collections.abc import Callable, Collection, Sequence
from functools import partial, wraps
from typing import ParamSpec, TypeVar
from uuid import UUID

from sqlalchemy.orm import Session

from stockroom.core.context import acting_as
from stockroom.core.database import now
from stockroom.core.transaction import retried, transaction
from stockroom.stock import repository
from stockroom.stock.books import LOCK_SECONDS, Books
from stockroom.stock.errors import InsufficientStock
from stockroom.stock.events import record_ended
from stockroom.stock.models import Reservation, ReservationStatus
from stockroom.stock.values import Key

AT_ONCE = 100

P = ParamSpec("P")
T = TypeVar("T")


def expire_overdue() -> None:
    """Give back all that is overdue, some reservations a transaction."""
    while _expire(None) == AT_ONCE:
        pass


def after_expiry(act: Callable[P, T]) -> Callable[P, T]:
    """Where pieces are short, have what is overdue of them given back before the next try.

    That is up to ``retried``, when the levels are not locked any more: not even by a transaction
    that began before.
    """

    @wraps(act)
    def wrapper(*args: P.args, **kwargs: P.kwargs) -> T:
        try:
            return act(*args, **kwargs)
        except InsufficientStock as error:
            if error.is_overdue:
                error.remedy = partial(expire_of, error.product_ids)
            raise

    return wrapper


def expire_of(product_ids: Collection[UUID]) -> None:
    """Give back what is overdue of these products, before their levels are locked."""
    while _expire(product_ids) == AT_ONCE:
        pass


def end(
    session: Session, books: Books, reservation: Reservation, status: ReservationStatus
) -> None:
    """Give back what a reservation holds; the caller closes the books."""
    held = Counter[Key]()
    for line in reservation.lines:
        held[line.product_id, line.location] += line.quantity
    for key, quantity in held.items():
        books.give_back(key, quantity)
    reservation.status, reservation.ended_at = status, now()
    record_ended(session, reservation)


@retried
def _expire(product_ids: Collection[UUID] | None) -> int:
    # Whoever needs the pieces has no part in it that somebody else's time is up.
    with acting_as(None), transaction(lock_seconds=LOCK_SECONDS) as session:
        overdue = repository.reservations.lock_overdue(session, AT_ONCE, product_ids)
        if overdue:
            books = books_of(session, overdue)
            for reservation in overdue:
                end(session, books, reservation, ReservationStatus.EXPIRED)
            books.close()
    return len(overdue)


def books_of(session: Session, reservations: Sequence[Reservation]) -> Books:
    """The books of all that these reservations hold."""
    ids = {line.product_id for reservation in reservations for line in reservation.lines}
    return Books(session, repository.products.find(session, ids))
