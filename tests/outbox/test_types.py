"""The grammar of types, and the patterns that choose among them."""

from string import ascii_lowercase

import pytest
from flask import Flask
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from sqlalchemy import exc, select

from stockroom.core.database import new_id
from stockroom.core.transaction import transaction
from stockroom.outbox.models import Event
from stockroom.outbox.repository import matching_types
from stockroom.outbox.types import LONGEST_TYPE, EventType, is_pattern, matches

WORDS = st.from_regex(r"[ab]{1,3}(_[ab]{1,2})?", fullmatch=True)
TYPES = st.builds("{}.{}".format, WORDS, WORDS)
PATTERNS = st.just("*") | TYPES | WORDS.map("{}.*".format)


@pytest.mark.parametrize("kind", EventType)
def test_every_type_fits_the_grammar_and_its_column(kind: EventType) -> None:
    assert is_pattern(kind.value)
    assert "*" not in kind.value
    assert len(kind.value) <= LONGEST_TYPE


@pytest.mark.parametrize("text", ["*", "product.*", "product.created", "stock_level.moved_away"])
def test_patterns(text: str) -> None:
    assert is_pattern(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "product",
        "product.",
        ".created",
        "*.created",
        "product.cre*",
        "**",
        "Product.created",
        "product.created.twice",
        "product._created",
        "product.created_",
        "product1.created",
        "product.created\n",
    ],
)
def test_what_is_no_pattern(text: str) -> None:
    assert not is_pattern(text)


@pytest.mark.parametrize("text", ["product", "Product.created", "product.*", "a.b.c", "a.b\n", "*"])
def test_the_database_refuses_what_breaks_the_grammar(app: Flask, text: str) -> None:
    with app.app_context(), pytest.raises(exc.IntegrityError), transaction() as session:
        session.add(Event(type=text, subject=new_id(), data={}))


def test_the_database_takes_a_type_that_this_version_does_not_know(app: Flask) -> None:
    with app.app_context(), transaction() as session:
        session.add(Event(type="parcel.lost_at_sea", subject=new_id(), data={}))


def test_a_pattern_chooses_by_the_whole_first_part() -> None:
    assert matches("product.created", ["product.*"])
    assert not matches("product_line.created", ["product.*"])
    assert not matches("product.created", ["prod.*", "product.updated"])


@settings(max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture])
@example(event_type="stockxlevel.moved", patterns=["stock_level.*"])
@given(event_type=TYPES, patterns=st.lists(PATTERNS, min_size=1, max_size=4))
def test_the_database_chooses_as_python_does(
    app_context: None, event_type: str, patterns: list[str]
) -> None:
    with transaction(dry_run=True) as session:
        session.add(Event(type=event_type, subject=new_id(), data={}))
        session.flush()
        chosen = session.scalars(select(Event.type).where(matching_types(patterns))).all()
    assert bool(chosen) is matches(event_type, patterns)


@settings(max_examples=100)
@given(st.text(alphabet=f"{ascii_lowercase[:3]}._*", max_size=8))
def test_whatever_is_a_type_is_chosen_by_itself(text: str) -> None:
    if is_pattern(text) and not text.endswith("*"):
        assert matches(text, [text])
