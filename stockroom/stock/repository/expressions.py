"""Expressions that queries on stock share."""

from collections.abc import Collection
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, ColumnElement, Select, Uuid, bindparam, cast, func, literal
from sqlalchemy.dialects.postgresql import ARRAY

IDS = bindparam("ids", type_=ARRAY(Uuid()))


def total(sums: Select[Any]) -> ColumnElement[int]:
    return cast(func.coalesce(sums.scalar_subquery(), literal(0)), BigInteger)


def uuids(values: Collection[UUID]) -> ColumnElement[Any]:
    return cast(list(values), ARRAY(Uuid()))
