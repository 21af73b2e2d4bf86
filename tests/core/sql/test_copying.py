"""COPY: what is sent arrives as it was, and nothing of it stays behind."""

from datetime import UTC, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    DateTime,
    MetaData,
    Numeric,
    Table,
    Text,
    Uuid,
    inspect,
    select,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.exc import DataError

from stockroom.core.sql.copying import staged
from stockroom.core.transaction import transaction

pytestmark = pytest.mark.usefixtures("app_context")

TABLE = Table(
    "staged_samples",
    MetaData(),
    Column("words", Text()),
    Column("id", Uuid()),
    Column("price", Numeric(14, 3)),
    Column("count", BigInteger()),
    Column("is_new", Boolean()),
    Column("at", DateTime(timezone=True)),
    Column("data", JSONB()),
    prefixes=["TEMPORARY"],
    postgresql_on_commit="DROP",
)
NAMES = tuple(TABLE.columns.keys())


class Colour(StrEnum):
    BLUE = "bl\\ue"


# All that has a meaning in COPY's text format, and what else a text can be.
TEXT = st.lists(
    st.sampled_from(["\\", "\\N", "\\.", "\t", "\n", "\r", '"', ",", "\x01", "é", "🫖"])
    | st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=3),
    max_size=4,
).map("".join)
ROW = st.tuples(
    st.none() | TEXT,
    st.none() | st.uuids(),
    st.none() | st.decimals(0, 10**9, places=3),
    st.none() | st.integers(-(2**63), 2**63 - 1),
    st.none() | st.booleans(),
    st.none() | st.datetimes(min_value=datetime(1, 1, 2), timezones=st.just(UTC)),  # noqa: DTZ001 - the strategy adds it
    st.dictionaries(TEXT, st.none() | st.booleans() | st.integers() | TEXT, max_size=2),
)


def brought_back(rows: list[Any]) -> list[Any]:
    with transaction(dry_run=True) as session, staged(session, TABLE, NAMES, rows):
        return [tuple(row) for row in session.execute(select(TABLE))]


@settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=st.lists(ROW, max_size=8))
def test_any_row_arrives_as_it_was(app_context: None, rows: list[Any]) -> None:
    assert brought_back(rows) == rows


def test_a_member_of_an_enumeration_arrives_as_its_value() -> None:
    row: Any = (
        Colour.BLUE,
        UUID(int=1),
        Decimal("1.5"),
        1,
        True,
        datetime(2026, 1, 31, tzinfo=UTC),
        {},
    )
    assert brought_back([row]) == [("bl\\ue", *row[1:])]


def test_a_staging_table_is_gone_when_its_rows_were_used() -> None:
    with transaction() as session:
        for _ in range(2):
            with staged(session, TABLE, NAMES[:1], [["a"]]):
                assert session.scalars(select(TABLE.c.words)).all() == ["a"]
        assert not inspect(session.connection()).has_table(TABLE.name)


def test_what_the_database_refuses_is_told_as_of_any_statement() -> None:
    with (
        pytest.raises(DataError, match="invalid input syntax"),
        transaction() as session,
        staged(session, TABLE, ["price"], [["much"]]),
    ):
        pass
