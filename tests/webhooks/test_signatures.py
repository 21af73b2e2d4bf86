"""Signatures, judged by the published package ``standardwebhooks``."""

import json
from collections.abc import Callable
from dataclasses import replace
from uuid import UUID

import pytest
from cryptography.fernet import Fernet
from flask import Flask
from sqlalchemy import update
from standardwebhooks import WebhookVerificationError

from stockroom.config import Settings
from stockroom.core.transaction import transaction
from stockroom.webhooks import service
from stockroom.webhooks.models import Webhook
from stockroom.webhooks.signatures import new_secret
from tests.factories.products import make_product
from tests.webhooks.hooks import Hook
from tests.webhooks.receivers import Receiver


def test_the_secret_verifies_what_is_sent(hook: Hook, receiver: Receiver) -> None:
    make_product(hook.app)
    hook.attempt()
    assert receiver.received[0].verify(hook.secret)["type"] == "product.created"


def test_another_secret_or_another_body_does_not_verify(hook: Hook, receiver: Receiver) -> None:
    make_product(hook.app)
    hook.attempt()
    (sent,) = receiver.received
    with pytest.raises(WebhookVerificationError):
        sent.verify(new_secret())
    with pytest.raises(WebhookVerificationError):
        replace(sent, body=sent.body + b" ").verify(hook.secret)


def test_after_a_rotation_both_secrets_verify(hook: Hook, receiver: Receiver) -> None:
    rotated = hook.api.post(f"{hook.path}/rotate-secret").get_json()
    assert rotated["secret"] != hook.secret
    make_product(hook.app)
    hook.attempt()
    (sent,) = receiver.received
    assert sent.verify(hook.secret) == sent.verify(rotated["secret"])
    assert len(sent.headers["webhook-signature"].split(" ")) == 2


def test_a_day_after_a_rotation_the_new_secret_alone_verifies(
    hook: Hook, receiver: Receiver
) -> None:
    rotated = hook.api.post(f"{hook.path}/rotate-secret").get_json()
    hook.set_back(hours=24)
    make_product(hook.app)
    hook.attempt()
    (sent,) = receiver.received
    sent.verify(rotated["secret"])
    with pytest.raises(WebhookVerificationError):
        sent.verify(hook.secret)


def test_the_secret_of_a_rotation_is_not_shown_again(hook: Hook) -> None:
    rotated = hook.api.post(f"{hook.path}/rotate-secret")
    read = hook.api.get(hook.path)
    assert rotated.headers["ETag"] == read.headers["ETag"]
    assert rotated.get_json()["secret"] not in read.text
    assert read.get_json()["previous_secret_until"]


def test_secrets_are_encrypted_anew_with_the_first_key(
    hook: Hook, settings: Settings, make_app: Callable[..., Flask], receiver: Receiver
) -> None:
    hook.api.post(f"{hook.path}/rotate-secret")
    keys = [Fernet.generate_key().decode(), *settings.encryption_keys]
    run = make_app(encryption_keys=keys).test_cli_runner().invoke
    assert run(args=["secrets", "reencrypt"]).exit_code == 0
    newest = make_app(encryption_keys=keys[:1]).test_cli_runner().invoke
    assert newest(args=["secrets", "reencrypt"]).output == (
        "answers: 0\nmails: 0\nsecond factors: 0\nwebhooks: 1\n"
    )
    lost = (
        make_app(encryption_keys=keys[1:]).test_cli_runner().invoke(args=["secrets", "reencrypt"])
    )
    assert lost.exit_code == 1
    assert lost.output.endswith("Error: webhooks: No key of ENCRYPTION_KEYS fits.\n")


def lose_key(hook: Hook, column: str = "secret") -> None:
    """Of one of the webhook's secrets."""
    foreign = Fernet(Fernet.generate_key()).encrypt(b"x").decode()
    with hook.app.app_context(), transaction() as session:
        is_its = Webhook.id == UUID(hook.id)
        session.execute(update(Webhook).where(is_its).values({column: foreign}))


def test_without_its_key_a_webhook_fails_alone(
    hook: Hook, receiver: Receiver, other_receiver: Receiver
) -> None:
    other = Hook.create(hook.app, hook.api, other_receiver)
    lose_key(hook)
    make_product(hook.app)
    assert hook.attempt()["error"] == "The secret cannot be read: see ENCRYPTION_KEYS."
    assert other.attempt()["state"] == "delivered"
    assert receiver.connections == 0


def test_a_rotation_brings_back_a_webhook_whose_key_is_lost(hook: Hook, receiver: Receiver) -> None:
    lose_key(hook)
    rotated = hook.api.post(f"{hook.path}/rotate-secret").get_json()
    make_product(hook.app)
    assert hook.attempt()["state"] == "delivered"
    assert receiver.received[0].verify(rotated["secret"])
    assert hook.read()["previous_secret_until"] is None


def test_a_secret_that_has_run_out_is_forgotten_when_the_others_are_encrypted_anew(
    hook: Hook, receiver: Receiver
) -> None:
    rotated = hook.api.post(f"{hook.path}/rotate-secret").get_json()
    lose_key(hook, "previous_secret")
    run = hook.app.test_cli_runner().invoke
    assert run(args=["secrets", "reencrypt"]).exit_code == 1
    hook.set_back(hours=24)
    assert run(args=["secrets", "reencrypt"]).output.endswith("webhooks: 1\n")
    assert hook.read()["previous_secret_until"] is None
    make_product(hook.app)
    hook.attempt()
    assert receiver.received[0].verify(rotated["secret"])


def test_the_secret_is_in_no_log_of_deliveries(hook: Hook) -> None:
    make_product(hook.app)
    shown = json.dumps(hook.attempt())
    assert hook.secret.removeprefix("whsec_") not in shown
    with hook.app.app_context():
        assert hook.secret not in str(vars(service.get(UUID(hook.id))))
