"""What follows from attempts: delivered, tried again, given up, and endpoints switched off."""

import random
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Any
from uuid import UUID

import structlog
from sqlalchemy.orm import Session

from stockroom.core.context import settings
from stockroom.core.database import new_id, now
from stockroom.mail.service import send
from stockroom.outbox.service import record as record_event
from stockroom.outbox.types import EventType
from stockroom.users import repository as users
from stockroom.webhooks import repository
from stockroom.webhooks.models import LONGEST_ERROR, DeliveryState, Webhook
from stockroom.webhooks.news import state_of
from stockroom.webhooks.sending import queue
from stockroom.webhooks.sending.attempt import Result
from stockroom.webhooks.sending.backoff import next_try

log = structlog.get_logger(__name__)

SWITCHED_OFF_AFTER = timedelta(hours=24)


def record(session: Session, results: Sequence[Result]) -> None:
    """Log the attempts, and do what follows from them."""
    # Webhooks before deliveries, as everywhere: two who lock them in turns would deadlock.
    switched_off = _judge(session, results)
    queue.finish(session, [_outcome(result) for result in results])
    for webhook in switched_off:
        queue.give_up(session, webhook.id, webhook.disabled_reason or "", now())


def switch_off(session: Session, webhook: Webhook, reason: str) -> None:
    """Stop sending to an endpoint, and tell every administrator."""
    webhook.is_active, webhook.disabled_reason = False, reason
    log.warning("webhook switched off", webhook=str(webhook.id), reason=reason)
    state = state_of(webhook)
    record_event(session, EventType.WEBHOOK_DISABLED, webhook.id, state | {"reason": reason})
    params = {
        "base_url": settings().base_url,
        "host": state["host"],
        "reason": reason,
        "webhook_id": str(webhook.id),
    }
    for admin in users.administrators(session):
        send(session, admin.email, "webhooks/disabled", params, user_id=admin.id)


def _judge(session: Session, results: Sequence[Result]) -> Sequence[Webhook]:
    """Note since when endpoints fail, or that they do not; returns those that are switched off."""
    well = {it.parcel.webhook_id for it in results if it.is_success}
    failures = [it for it in results if it.parcel.webhook_id not in well]
    gone = {it.parcel.webhook_id for it in failures if it.status == HTTPStatus.GONE}
    first = _first_failures(failures)
    switched_off = []
    for webhook in repository.lock_judged(session, well, first):
        if webhook.id in well:
            webhook.failing_since = None
            continue
        webhook.failing_since = webhook.failing_since or first[webhook.id]
        if reason := _reason_to_switch_off(webhook, gone):
            switch_off(session, webhook, reason)
            switched_off.append(webhook)
    return switched_off


def _first_failures(failures: Sequence[Result]) -> Mapping[UUID, datetime]:
    """When the first of them began, for each endpoint."""
    first: dict[UUID, datetime] = {}
    for result in failures:
        webhook_id = result.parcel.webhook_id
        first[webhook_id] = min(first.get(webhook_id, result.started_at), result.started_at)
    return first


def _reason_to_switch_off(webhook: Webhook, gone: set[UUID]) -> str | None:
    if webhook.id in gone:
        return "The receiver answered 410: it is gone."
    since = webhook.failing_since
    if since is not None and since <= now() - SWITCHED_OFF_AFTER:
        return f"Every attempt since {since:%Y-%m-%d %H:%M} UTC has failed."
    return None


def _outcome(result: Result) -> Mapping[str, Any]:
    ended_at = result.started_at + timedelta(milliseconds=result.milliseconds)
    state, due_at = _next(result, ended_at)
    return {
        "id": str(new_id()),
        "delivery_id": str(result.parcel.delivery_id),
        "started_at": result.started_at.isoformat(),
        "milliseconds": result.milliseconds,
        "status": result.status,
        "error": result.error and result.error[:LONGEST_ERROR],
        "request_headers": result.headers,
        "response": result.response,
        "claim": result.parcel.claim,
        "state": state.value,
        "due_at": due_at.isoformat(),
        "finished_at": None if state is DeliveryState.PENDING else ended_at.isoformat(),
    }


def _next(result: Result, ended_at: datetime) -> tuple[DeliveryState, datetime]:
    if result.is_success:
        return DeliveryState.DELIVERED, ended_at
    due_at = next_try(
        result.parcel.created_at,
        ended_at,
        result.parcel.attempts + 1,
        random.random(),  # noqa: S311 - no secret
        result.retry_after,
    )
    return (DeliveryState.PENDING, due_at) if due_at else (DeliveryState.FAILED, ended_at)
