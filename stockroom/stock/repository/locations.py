"""Locations."""

from collections.abc import Collection

from sqlalchemy import String, any_, cast, select
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Session

from stockroom.core.pagination import Keyset
from stockroom.stock.models import Location

BY_AGE = Keyset("oldest", None, Location.id)


def known(session: Session, codes: Collection[str]) -> set[str]:
    statement = select(Location.code).where(Location.code == any_(cast(list(codes), ARRAY(String))))
    return set(session.scalars(statement))
