"""An event as it is streamed is the one that the schema describes."""

from uuid import uuid4

import pytest

from stockroom.core.database import now
from stockroom.outbox.document import document_of
from stockroom.outbox.models import Event
from stockroom.outbox.schemas import EventSchema


@pytest.mark.parametrize(("actor", "request_id"), [(uuid4(), "abc"), (None, None)])
def test_the_document_is_what_the_schema_writes(actor: object, request_id: str | None) -> None:
    event = Event(
        id=uuid4(),
        position=7,
        type="product.created",
        subject=uuid4(),
        occurred_at=now(),
        actor_id=actor,
        request_id=request_id,
        data={"sku": "A", "price": "9.50", "stock": 3, "more": {"deep": [None, True]}},
    )
    assert document_of(event) == EventSchema().dump(event)
    assert list(document_of(event)) == list(EventSchema().fields)
