"""A process that dies between the commit and the answer: who asks again gets the answer."""

import json
from collections.abc import Mapping
from dataclasses import replace
from http.client import HTTPException
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select

from stockroom.app import create_app
from stockroom.config import Settings
from stockroom.core.permissions import Role
from stockroom.core.transaction import reading
from stockroom.extensions import db
from stockroom.stock.models import Reservation
from tests.contract.web import Answer, Web, free_port, request, serving
from tests.factories.products import make_product
from tests.factories.stock import assert_books_agree, levels
from tests.factories.users import make_user, token_for
from tests.servers import Servers
from tests.threads import at_once, until

COPIES = 30
DIE = "X-Die"
"""What ``tests.contract.dying`` takes for its last request."""


def test_thirty_copies_after_a_death_get_the_answer_that_nobody_saw(
    servers: dict[str, str], settings: Settings, tmp_path: Path
) -> None:
    address = Servers.database(servers, f"crash_{free_port()}")
    shop = replace(settings, instance_path=tmp_path, port=free_port(), database_url=address)
    app = create_app(shop)
    mug = make_product(app, sku="MUG", stock=10)
    headers = {
        "Authorization": f"Bearer {token_for(app, make_user(app, role=Role.CUSTOMER))}",
        "Content-Type": "application/json",
        "Idempotency-Key": "order-1001",
    }
    with serving(shop, "tests.contract.dying:app") as web:
        with pytest.raises((OSError, HTTPException)):
            reserve(web, {**headers, DIE: "now"})
        assert count_reservations(app) == 1
        until(lambda: web.answers)
        answers = at_once(lambda _: reserve(web, headers), range(COPIES))
    assert {answer.status for answer in answers} == {201}
    assert len({answer.body for answer in answers}) == 1
    assert {answer.headers["idempotent-replayed"] for answer in answers} == {"true"}
    assert count_reservations(app) == 1
    assert levels(app, mug.id) == {"main": (10, 3)}
    assert_books_agree(app)
    with app.app_context():
        db.engine.dispose()


def reserve(web: Web, headers: Mapping[str, str]) -> Answer:
    body: dict[str, Any] = {"lines": [{"sku": "MUG", "quantity": 3}]}
    sent = request("POST", "/api/v1/reservations", json.dumps(body).encode(), dict(headers))
    return web.send(sent)


def count_reservations(app: Flask) -> int:
    with app.app_context(), reading() as session:
        return session.scalar(select(func.count()).select_from(Reservation)) or 0
