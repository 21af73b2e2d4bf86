"""Receivers do not wait for each other, and one is sent several at once."""

from tests.factories.products import make_product
from tests.threads import until
from tests.webhooks.hooks import Hook, pump
from tests.webhooks.receivers import Answer, Received, Receiver


def test_one_slow_receiver_does_not_delay_another(
    hook: Hook, receiver: Receiver, other_receiver: Receiver
) -> None:
    receiver.answer = receiver.hang
    quick = Hook.create(hook.app, hook.api, other_receiver)
    for _ in range(20):
        make_product(hook.app)
    pump(hook.app)
    until(lambda: len(quick.deliveries(state="delivered")) == 20)
    assert len(receiver.received) == 1


def test_a_quick_receiver_is_sent_several_at_once(hook: Hook, receiver: Receiver) -> None:
    at_once: list[int] = []

    def slowly(received: Received) -> Answer:
        at_once.append(1)
        until(lambda: len(at_once) >= 4)
        return 200, {}, b""

    make_product(hook.app)
    hook.attempt()
    receiver.answer = slowly
    for _ in range(4):
        make_product(hook.app)
    pump(hook.app)
    until(lambda: len(hook.deliveries(state="delivered")) == 5)


def test_connections_are_kept_open(hook: Hook, receiver: Receiver) -> None:
    for _ in range(3):
        make_product(hook.app)
        hook.attempt()
    assert receiver.connections == 1
