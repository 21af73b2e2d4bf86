"""What can be done with webhooks."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import TypedDict
from uuid import UUID

from sqlalchemy.orm import Session

from stockroom.core.context import settings
from stockroom.core.database import new_id, now
from stockroom.core.encryption import Undecipherable, decrypt, encrypt, renewed
from stockroom.core.errors import InvalidInput
from stockroom.core.pagination import Page, PageRequest, read_page
from stockroom.core.transaction import reading, retried, transaction
from stockroom.core.versions import ANY_VERSION, ExpectedVersion
from stockroom.outbox.service import record
from stockroom.outbox.types import EventType
from stockroom.webhooks import repository
from stockroom.webhooks.models import Webhook
from stockroom.webhooks.news import state_of
from stockroom.webhooks.sending import queue
from stockroom.webhooks.signatures import new_secret
from stockroom.webhooks.targets.target import TargetRefused, parse, resolve

RESOLVE_SECONDS = 5
BOTH_SECRETS_FOR = timedelta(hours=24)
SWITCHED_OFF = "Switched off by an administrator."


class WebhookFields(TypedDict, total=False):
    """What can be set on a webhook. A new one needs ``url`` and ``events``."""

    url: str
    events: Sequence[str]
    description: str | None
    is_active: bool


class WebhookFilters(TypedDict, total=False):
    is_active: bool


@dataclass(frozen=True, slots=True)
class Issued:
    """A webhook with its new secret, which is shown this once."""

    webhook: Webhook
    secret: str

    @property
    def id(self) -> UUID:
        return self.webhook.id

    @property
    def etag(self) -> str:
        return self.webhook.etag


def create(fields: WebhookFields) -> Issued:
    """Add an endpoint; it is sent the events to come.

    :raises InvalidInput: if nothing may be sent to the URL.
    """
    require_target(fields["url"])
    secret = new_secret()
    webhook = Webhook(id=new_id(), is_active=True, secret=encrypt(secret), **fields)
    with transaction() as session:
        session.add(webhook)
        record(session, EventType.WEBHOOK_CREATED, webhook.id, state_of(webhook))
    return Issued(webhook, secret)


def get(webhook_id: UUID) -> Webhook:
    """:raises WebhookNotFound: if there is none."""
    with reading() as session:
        return repository.get(session, webhook_id)


def search(filters: WebhookFilters, page: PageRequest) -> Page[Webhook]:
    """Newest first."""
    with reading() as session:
        statement = repository.matching(**filters)
        return read_page(session, statement, repository.NEWEST_FIRST, page)


@retried
def change(
    webhook_id: UUID, changes: WebhookFields, expected: ExpectedVersion = ANY_VERSION
) -> Webhook:
    """Change a webhook. One that is switched off fails what it has still to be sent.

    :raises WebhookNotFound: if there is none.
    :raises PreconditionFailed: if it has another version than expected.
    :raises InvalidInput: if nothing may be sent to the new URL.
    """
    if "url" in changes:
        require_target(changes["url"])
    with transaction() as session:
        webhook = _locked(session, webhook_id, expected)
        changed = [name for name, value in changes.items() if getattr(webhook, name) != value]
        for name in changed:
            setattr(webhook, name, changes[name])  # type: ignore[literal-required]
        if "is_active" in changed:
            _switched(session, webhook)
        if changed:
            state = state_of(webhook) | {"changed": changed}
            record(session, EventType.WEBHOOK_UPDATED, webhook.id, state)
    return webhook


def remove(webhook_id: UUID, expected: ExpectedVersion = ANY_VERSION) -> None:
    """Remove a webhook with the log of its deliveries.

    :raises WebhookNotFound: if there is none.
    :raises PreconditionFailed: if it has another version than expected.
    """
    with transaction() as session:
        webhook = _locked(session, webhook_id, expected)
        session.delete(webhook)
        record(session, EventType.WEBHOOK_REMOVED, webhook.id, state_of(webhook))


def rotate_secret(webhook_id: UUID) -> Issued:
    """Give a webhook a new secret. For a day the one before signs as well, unless its key is lost.

    :raises WebhookNotFound: if there is none.
    """
    secret = new_secret()
    with transaction() as session:
        webhook = repository.get(session, webhook_id, lock=True)
        _keep_as_previous(webhook)
        webhook.secret = encrypt(secret)
        record(session, EventType.WEBHOOK_SECRET_ROTATED, webhook.id, state_of(webhook))
    return Issued(webhook, secret)


def reencrypt() -> int:
    """Encrypt every secret with the first of the keys; returns how many webhooks there are.

    Previous secrets that have run out are forgotten.

    :raises Undecipherable: if there is a secret that no key fits.
    """
    with transaction() as session:
        webhooks = repository.lock_all(session)
        for webhook in webhooks:
            webhook.secret = renewed(webhook.secret)
            if webhook.previous_secret_until and webhook.previous_secret_until <= now():
                _forget_previous(webhook)
            if webhook.previous_secret:
                webhook.previous_secret = renewed(webhook.previous_secret)
    return len(webhooks)


def require_target(url: str) -> None:
    """:raises InvalidInput: if nothing may be sent there."""
    try:
        target = parse(url, http=settings().webhook_http)
        resolve(target, settings().webhook_networks, RESOLVE_SECONDS)
    except TargetRefused as refusal:
        raise InvalidInput({"url": [str(refusal)]}) from None


def _keep_as_previous(webhook: Webhook) -> None:
    """Let the secret sign for a day longer, unless it cannot be read: no other signs beside it."""
    try:
        decrypt(webhook.secret)
    except Undecipherable:
        _forget_previous(webhook)
    else:
        webhook.previous_secret = webhook.secret
        webhook.previous_secret_until = now() + BOTH_SECRETS_FOR


def _forget_previous(webhook: Webhook) -> None:
    webhook.previous_secret = webhook.previous_secret_until = None


def _switched(session: Session, webhook: Webhook) -> None:
    """Begin anew with one that is switched on; end what is under way for one that is off."""
    webhook.failing_since = webhook.disabled_reason = None
    if not webhook.is_active:
        webhook.disabled_reason = SWITCHED_OFF
        queue.give_up(session, webhook.id, SWITCHED_OFF, now())


def _locked(session: Session, webhook_id: UUID, expected: ExpectedVersion) -> Webhook:
    webhook = repository.get(session, webhook_id, lock=True)
    expected.check(webhook)
    return webhook
