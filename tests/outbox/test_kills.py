"""Killed at random moments while clients write: no news is lost, and none is invented."""

import random
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from threading import Event as Flag
from typing import Any
from uuid import UUID

import pytest
from flask import Flask
from sqlalchemy import select, update

from stockroom.app import create_app
from stockroom.config import Settings
from stockroom.core.database import now
from stockroom.core.permissions import Role
from stockroom.core.transaction import reading, transaction
from stockroom.extensions import db
from stockroom.outbox.models import Event
from stockroom.products.models import Product
from stockroom.users.models import User
from stockroom.webhooks import service as webhooks
from stockroom.webhooks.models import Delivery, DeliveryState, Webhook
from tests.contract.killing import Victim, killable
from tests.contract.web import free_port
from tests.factories.users import make_user, token_for
from tests.outbox.writing import UNDONE, Writer
from tests.servers import Servers
from tests.threads import until
from tests.webhooks.receivers import Receiver

WRITERS = 4
KILLS = [3, pytest.param(100, marks=pytest.mark.heavy(minutes=5))]

Witness = Callable[[], set[UUID]]
"""Tells the ids of the events that somebody outside has seen."""


@dataclass(frozen=True, slots=True)
class Scene:
    """Where it happens: a served application, and its twin in this process."""

    victim: Victim
    app: Flask


@pytest.fixture
def scene(
    servers: dict[str, str], settings: Settings, worker_id: str, tmp_path: Path
) -> Iterator[Scene]:
    address = Servers.database(servers, f"kills_{worker_id}_{free_port()}")
    changed = replace(
        settings,
        instance_path=tmp_path,
        port=free_port(),
        database_url=address,
        redis_url="",
        webhook_http=True,
        webhook_networks=["127.0.0.0/8"],
    )
    app = create_app(changed)
    with killable(changed) as victim:
        yield Scene(victim, app)
    with app.app_context():
        db.engine.dispose()


@pytest.fixture
def witnesses(scene: Scene) -> Iterator[Sequence[Witness]]:
    """Receivers of webhooks, who must see every event from now on at least once."""
    with Receiver() as one, Receiver() as other:
        with scene.app.app_context():
            for receiver in (one, other):
                webhooks.create({"url": receiver.url, "events": ["product.*", "user.*"]})
        yield [partial(_seen_by, one), partial(_seen_by, other)]


@pytest.mark.parametrize("kills", KILLS)
def test_after_kills_every_change_has_one_event_and_no_event_lacks_its_change(
    scene: Scene, witnesses: Sequence[Witness], kills: int
) -> None:
    seed = random.getrandbits(32)
    print(f"seed {seed}")  # noqa: T201 - shown where the test fails
    writers = _writers(scene, seed)
    with _writing(writers):
        _kill(scene.victim, random.Random(seed), kills)  # noqa: S311 - the dice of a test
    until(lambda: all(event.position for event in _events(scene.app)))
    _end_leases(scene.app)
    events, products = _events(scene.app), _rows(scene.app, Product)
    assert [event.position for event in events] == list(range(1, len(events) + 1))
    assert _versions_told(events) == {
        product.id: list(range(1, product.version + 1)) for product in products
    }
    acknowledged = set[tuple[UUID, int]]().union(*(writer.acknowledged for writer in writers))
    assert acknowledged <= {
        (product.id, n + 1) for product in products for n in range(product.version)
    }
    assert UNDONE not in {product.name for product in products}
    assert UNDONE not in {event.data.get("name") for event in events}
    others = [*_rows(scene.app, User), *_rows(scene.app, Webhook)]
    subjects = {row.id for row in [*products, *others]}
    assert {event.subject for event in events} == subjects
    told = {event.id for event in events if not event.type.startswith("webhook.")}
    for seen in witnesses:
        until(lambda seen=seen: told <= seen())
    assert all(writer.refused for writer in writers)
    assert any(writer.lost for writer in writers)


def _writers(scene: Scene, seed: int) -> list[Writer]:
    token = token_for(scene.app, make_user(scene.app, role=Role.STAFF))
    return [Writer(scene.victim.web, token, seed + number) for number in range(WRITERS)]


@contextmanager
def _writing(writers: list[Writer]) -> Iterator[None]:
    over = Flag()
    with ThreadPoolExecutor(len(writers)) as threads:
        futures = [threads.submit(writer.write_until, over) for writer in writers]
        try:
            yield
        finally:
            over.set()
    for future in futures:
        future.result()


def _kill(victim: Victim, dice: random.Random, times: int) -> None:
    for _ in range(times):
        # The moment is what is random; nothing is waited for.
        Flag().wait(dice.uniform(0.1, 1.0))
        dice.choice([victim.kill_worker, victim.kill_all])()


def _events(app: Flask) -> list[Event]:
    with app.app_context(), reading() as session:
        return list(session.scalars(select(Event).order_by(Event.position)))


def _rows(app: Flask, model: type[Any]) -> list[Any]:
    with app.app_context(), reading() as session:
        return list(session.scalars(select(model)))


def _end_leases(app: Flask) -> None:
    """Let the time pass after which what a killed process was sending is sent by another."""
    with app.app_context(), transaction() as session:
        pending = update(Delivery).where(Delivery.state == DeliveryState.PENDING)
        session.execute(pending.values(due_at=now()))


def _seen_by(receiver: Receiver) -> set[UUID]:
    return {UUID(received.message_id) for received in list(receiver.received)}


def _versions_told(events: list[Event]) -> dict[UUID, list[int]]:
    """The versions of each product that events tell of, in the order of the positions."""
    told = defaultdict[UUID, list[int]](list)
    for event in events:
        if event.type.startswith("product."):
            told[event.subject].append(event.data["version"])
    return dict(told)
