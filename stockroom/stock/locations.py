"""Places where goods lie."""

from uuid import UUID

from sqlalchemy import select

from stockroom.core.database import new_id, now
from stockroom.core.pagination import Page, PageRequest, read_page
from stockroom.core.transaction import reading, transaction
from stockroom.stock import repository
from stockroom.stock.errors import LocationNotFound
from stockroom.stock.events import record_location
from stockroom.stock.models import Location


def create(code: str, name: str) -> Location:
    """Add a place.

    :raises LocationTaken: if one has the code.
    """
    moment = now()
    location = Location(id=new_id(), code=code, name=name, created_at=moment, updated_at=moment)
    with transaction() as session:
        session.add(location)
        record_location(session, location)
    return location


def get(location_id: UUID) -> Location:
    """:raises LocationNotFound: if there is none."""
    with reading() as session:
        location = session.get(Location, location_id)
    if location is None:
        raise LocationNotFound
    return location


def search(page: PageRequest) -> Page[Location]:
    """All places, ``main`` first."""
    with reading() as session:
        return read_page(session, select(Location), repository.locations.BY_AGE, page)
