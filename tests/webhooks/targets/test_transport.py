"""Requests go to the address that was checked, under the name that was given."""

from contextlib import closing
from threading import Event

import pytest

from stockroom.webhooks.sending.attempt import Sender
from tests.webhooks.receivers import Receiver, parcel
from tests.webhooks.targets.resolvers import Resolver


def test_the_connection_goes_to_the_address_that_was_checked(
    receiver: Receiver, resolver: Resolver
) -> None:
    """A name that would lead elsewhere between check and connection is not asked for again."""
    resolver.addresses = ["127.0.0.2"]
    url = f"http://{resolver.NAME}:{receiver.port}/hook"
    with closing(Sender(http=True, networks=["127.0.0.2/32"], seconds=2)) as sender:
        resolver.afterwards = ["127.0.0.1"]
        result = sender.send(parcel(url))
    # Only 127.0.0.1 listens, and it was not what was checked.
    assert result.error == "No connection: Connection refused."
    assert (resolver.asked, receiver.connections) == (1, 0)


def test_the_receiver_is_told_the_name_that_it_was_called_by(
    receiver: Receiver, resolver: Resolver
) -> None:
    resolver.addresses = ["127.0.0.1"]
    with closing(Sender(http=True, networks=["127.0.0.0/8"], seconds=2)) as sender:
        sender.send(parcel(f"http://{resolver.NAME}:{receiver.port}/hook?a=b"))
    (received,) = receiver.received
    assert received.headers["Host"] == f"{resolver.NAME}:{receiver.port}"
    assert received.path == "/hook?a=b"


def test_a_name_is_resolved_once_in_a_moment(receiver: Receiver, resolver: Resolver) -> None:
    resolver.addresses = ["127.0.0.1"]
    with closing(Sender(http=True, networks=["127.0.0.0/8"], seconds=2)) as sender:
        for _ in range(3):
            sender.send(parcel(f"http://{resolver.NAME}:{receiver.port}/"))
    assert (len(receiver.received), resolver.asked) == (3, 1)


def test_a_resolver_that_hangs_holds_nobody_up(resolver: Resolver) -> None:
    over = Event()
    resolver.wait_for = over
    with closing(Sender(http=True, networks=[], seconds=0.2)) as sender:
        result = sender.send(parcel(f"http://{resolver.NAME}/"))
    over.set()
    assert result.error == f"The name {resolver.NAME} was not resolved in time."
    assert result.milliseconds < 5000


def test_the_next_address_is_tried_where_one_refuses(
    receiver: Receiver, resolver: Resolver
) -> None:
    resolver.addresses = ["127.0.0.3", "127.0.0.1"]
    with closing(Sender(http=True, networks=["127.0.0.0/8"], seconds=2)) as sender:
        assert sender.send(parcel(f"http://{resolver.NAME}:{receiver.port}/")).status == 200


def test_proxies_of_the_environment_are_not_used(
    receiver: Receiver, other_receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "https_proxy"):
        monkeypatch.setenv(name, other_receiver.url)
    with closing(Sender(http=True, networks=["127.0.0.0/8"], seconds=2)) as sender:
        assert sender.send(parcel(receiver.url)).status == 200
    assert other_receiver.connections == 0
