"""A webhook as a test uses it: over REST, and with a hand on the clock of its rows."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from flask import Flask
from sqlalchemy import func, update

from stockroom.core.transaction import transaction
from stockroom.outbox.relay import relay
from stockroom.webhooks import jobs
from stockroom.webhooks.models import Delivery, Webhook
from tests.api import Api
from tests.threads import until
from tests.webhooks.receivers import Receiver


@dataclass(frozen=True, slots=True)
class Hook:
    app: Flask
    api: Api
    id: str
    secret: str

    @classmethod
    def create(cls, app: Flask, api: Api, receiver: Receiver, *events: str) -> "Hook":
        body = {"url": receiver.url, "events": events or ["product.*"]}
        made = api.post("/webhooks", json=body)
        assert made.status_code == 201, made.text
        return cls(app, api, made.get_json()["id"], made.get_json()["secret"])

    @property
    def path(self) -> str:
        return f"/webhooks/{self.id}"

    def read(self) -> dict[str, Any]:
        webhook: dict[str, Any] = self.api.get(self.path).get_json()
        return webhook

    def deliveries(self, **query: str) -> list[dict[str, Any]]:
        page = self.api.get(f"{self.path}/deliveries", query_string=query).get_json()
        items: list[dict[str, Any]] = page["items"]
        return items

    def delivery(self) -> dict[str, Any]:
        """The newest, with its attempts."""
        newest = self.deliveries(limit="1")[0]["id"]
        delivery: dict[str, Any] = self.api.get(f"{self.path}/deliveries/{newest}").get_json()
        return delivery

    def attempt(self, times: int = 1) -> dict[str, Any]:
        """Send what is due, and wait until the newest delivery has been tried so often."""
        pump(self.app)
        until(lambda: self.deliveries(limit="1")[0]["attempts"] == times)
        return self.delivery()

    def set_back(self, **wait: float) -> None:
        """Let time pass for the webhook and its deliveries."""
        by = timedelta(**wait)
        with self.app.app_context(), transaction() as session:
            session.execute(
                update(Webhook)
                .where(Webhook.id == UUID(self.id))
                .values(
                    failing_since=Webhook.failing_since - by,
                    previous_secret_until=Webhook.previous_secret_until - by,
                )
            )
            session.execute(
                update(Delivery)
                .where(Delivery.webhook_id == UUID(self.id))
                .values(due_at=Delivery.due_at - by, created_at=Delivery.created_at - by)
            )


def pump(app: Flask) -> None:
    """Relay, and send what is due."""
    with app.app_context():
        relay()
        jobs.deliver()


def count(app: Flask, table: Any) -> int:
    with app.app_context(), transaction() as session:
        return session.query(func.count()).select_from(table).scalar() or 0
