"""What every table has: the declarative base, keys that sort by time, times and versions."""

from collections.abc import Sequence
from datetime import UTC, datetime
from enum import StrEnum
from functools import cache
from typing import Any
from uuid import UUID

import uuid_utils.compat
from sqlalchemy import DateTime, Enum, Table, Uuid
from sqlalchemy.orm import DeclarativeBase, Mapped, declared_attr, mapped_column

from stockroom.extensions import metadata as shared_metadata


class Base(DeclarativeBase):
    metadata = shared_metadata
    type_annotation_map = {datetime: DateTime(timezone=True), UUID: Uuid()}  # noqa: RUF012 - SQLAlchemy's own name and type


def table_of(model: type[Base]) -> Table:
    """Its table, for statements that every request sends: those on mapped classes cost more."""
    table = model.__table__
    assert isinstance(table, Table)  # noqa: S101 - tells the type checker
    return table


def row_of(new: Base) -> dict[str, Any]:
    """Its row: what the columns hold, but for those that the database computes."""
    return {name: getattr(new, name) for name in _stored(type(new))}


@cache
def _stored(model: type[Base]) -> Sequence[str]:
    return [it.name for it in model.__table__.columns if it.computed is None]


def new_id() -> UUID:
    """A UUIDv7 (RFC 9562, 5.7): ids made later by one process are greater."""
    return uuid_utils.compat.uuid7()


def enum_type(kind: type[StrEnum], name: str) -> Enum:
    """Text that a CHECK constraint keeps to the values of ``kind``.

    Not PostgreSQL's own enum: a value is added to it, and taken away, without a new type.
    """
    return Enum(
        kind,
        name=name,
        native_enum=False,
        create_constraint=True,
        length=16,
        values_callable=lambda members: [member.value for member in members],
    )


def now() -> datetime:
    return datetime.now(UTC)


class Entity:
    """Columns of whatever a client can read, change and refer to.

    ``version`` counts the changes, from 1; an update of a version that is no longer the stored
    one fails instead of overwriting.
    """

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    version: Mapped[int] = mapped_column(default=1)
    created_at: Mapped[datetime] = mapped_column(default=now)
    updated_at: Mapped[datetime] = mapped_column(default=now, onupdate=now)

    @property
    def tag(self) -> str:
        """The version that a change names. The id is in it because one address, such as that of a
        SKU, can lead to one entity today and to another tomorrow.
        """
        return f"{self.version}-{self.id.hex}"

    @property
    def etag(self) -> str:
        """The ETag: the version, and after a full stop what else the representation shows."""
        return self.tag

    @declared_attr.directive
    @classmethod
    def __mapper_args__(cls) -> dict[str, Any]:
        return {"version_id_col": cls.version}
