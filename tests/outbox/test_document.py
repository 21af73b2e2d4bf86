"""The one document of an event, which all that carries events shows."""

from flask import Flask
from sqlalchemy import select

from stockroom.core.transaction import reading
from stockroom.outbox.document import document_of
from stockroom.outbox.models import Event
from stockroom.outbox.relay import relay
from stockroom.outbox.schemas import EventSchema
from tests.api import Api
from tests.factories.products import make_product, product_body


def test_the_document_is_what_the_schema_dumps(app: Flask, staff: Api) -> None:
    make_product(app)
    staff.post("/products", json=product_body())
    with app.app_context():
        relay()
        with reading() as session:
            events = session.scalars(select(Event)).all()
    assert len(events) >= 3
    assert [document_of(event) for event in events] == EventSchema(many=True).dump(events)
