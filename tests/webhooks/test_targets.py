"""Targets that would lead inside are refused, at saving and at each attempt; nobody is called."""

import socket
from contextlib import closing
from ipaddress import ip_address
from threading import Event
from typing import Any

import pytest
from flask import Flask
from hypothesis import given
from hypothesis import strategies as st

from stockroom.webhooks import targets
from stockroom.webhooks.addresses import may_be_called
from stockroom.webhooks.sending import Sender
from tests.api import Api, assert_problem
from tests.factories.products import make_product
from tests.webhooks.hooks import Hook
from tests.webhooks.receivers import Receiver, parcel

FORGED = [
    "http://127.0.0.1:{port}/",
    "https://127.0.0.1:{port}/",
    "https://[::1]:{port}/",
    "https://169.254.169.254/latest/meta-data/",
    "https://0.0.0.0:{port}/",
    "https://2130706433:{port}/",
    "https://0177.0.0.1:{port}/",
    "https://0x7f.1:{port}/",
    "https://0x7f000001:{port}/",
    "https://127.1:{port}/",
    "https://127.0.0.1.:{port}/",
    "https://[::ffff:127.0.0.1]:{port}/",
    "https://[::ffff:a9fe:a9fe]/",
    "https://[::127.0.0.1]:{port}/",
    "https://[64:ff9b::7f00:1]:{port}/",
    "https://[64:ff9b:1::7f00:1]:{port}/",
    "https://[2002:7f00:1::]:{port}/",
    "https://[2001:0:7f00:1::]:{port}/",
    "https://[fe80::1%25eth0]/",
    "https://[fc00::1]/",
    "https://[ff02::1]/",
    "https://10.0.0.1/",
    "https://172.16.0.1/",
    "https://192.168.0.1/",
    "https://100.64.0.1/",
    "https://224.0.0.1/",
    "https://255.255.255.255/",
    "https://localhost:{port}/",
    "https://LOCALHOST.:{port}/",
    "https://shop.example@127.0.0.1:{port}/",
    "https://127.0.0.1:{port}\\@shop.example/",
    "https://127.0.0.1:{port}#@shop.example/",
    "https://127。0。0。1:{port}/",
    "https://①②⑦.⓪.⓪.①:{port}/",
    "https://faß.example/",
    "https://127.0.0.1\t:{port}/",
    "//127.0.0.1:{port}/",
    "ftp://127.0.0.1:{port}/",
    "file:///etc/passwd",
    "gopher://127.0.0.1:{port}/",
    "https:///nowhere",
    "https://127.0.0.1:0/",
    "https://[::1",
    "https://nobody.invalid/",
]


class Resolver:
    """The system's, but for one name; it says how often that was asked for."""

    NAME = "shop.example"

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.addresses, self.asked = ["93.184.216.34"], 0
        self.afterwards: list[str] | None = None
        self.wait_for: Event | None = None
        self._usual = socket.getaddrinfo
        monkeypatch.setattr(socket, "getaddrinfo", self)

    def __call__(self, host: Any, port: Any, *args: Any, **kwargs: Any) -> list[Any]:
        if host != self.NAME:
            return self._usual(host, port, *args, **kwargs)
        self.asked += 1
        if self.wait_for:
            self.wait_for.wait(10)
        found, self.addresses = self.addresses, self.afterwards or self.addresses
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (it, port)) for it in found]


@pytest.fixture
def resolver(monkeypatch: pytest.MonkeyPatch) -> Resolver:
    return Resolver(monkeypatch)


@pytest.mark.parametrize("url", FORGED)
def test_a_forged_target_is_not_saved(admin: Api, receiver: Receiver, url: str) -> None:
    body = {"url": url.format(port=receiver.port), "events": ["*"]}
    problem = assert_problem(admin.post("/webhooks", json=body), 422, "validation-error")
    assert problem["errors"]["url"]
    assert receiver.connections == 0


@pytest.mark.parametrize("url", FORGED)
def test_a_forged_target_is_not_called_where_http_may_be(receiver: Receiver, url: str) -> None:
    """As if it had been saved by an older version."""
    sender = Sender(http=True, networks=[], seconds=2)
    with closing(sender):
        result = sender.send(parcel(url.format(port=receiver.port)))
    assert result.status is None
    assert result.error
    assert receiver.connections == 0


@pytest.mark.parametrize(
    "url",
    ["https://93.184.216.34", "https://[2606:2800:220:1:248:1893:25c8:1946]:8443/hook?x=1",
     "https://[64:ff9b::5db8:d822]/", "HTTPS://93.184.216.34/a%20b", "https://[::ffff:5db8:d822]/"],
)  # fmt: skip
def test_a_public_target_is_saved(admin: Api, url: str) -> None:
    response = admin.post("/webhooks", json={"url": url, "events": ["*"]})
    assert (response.status_code, response.get_json()["url"]) == (201, url)


def test_an_international_name_is_asked_for_as_the_dns_has_it() -> None:
    target = targets.parse("https://münchen.example/", http=False)
    assert (target.host, target.authority) == ("xn--mnchen-3ya.example", "xn--mnchen-3ya.example")


def test_a_url_longer_than_2000_characters_is_refused(admin: Api) -> None:
    url = "https://93.184.216.34/" + "x" * 2000
    problem = admin.post("/webhooks", json={"url": url, "events": ["*"]})
    assert_problem(problem, 422, "validation-error")


@pytest.mark.parametrize("private", ["127.0.0.1", "10.0.0.1", "169.254.169.254"])
def test_a_name_is_refused_if_one_of_its_addresses_is_not_public(
    admin: Api, resolver: Resolver, private: str
) -> None:
    resolver.addresses.append(private)
    body = {"url": f"https://{resolver.NAME}/", "events": ["*"]}
    problem = assert_problem(admin.post("/webhooks", json=body), 422, "validation-error")
    assert private in problem["errors"]["url"][0]


def test_a_change_of_the_url_is_checked(hook: Hook) -> None:
    changed = hook.api.patch(hook.path, json={"url": "https://10.0.0.1/"}, if_match=1)
    assert_problem(changed, 422, "validation-error")


def test_a_name_that_leads_elsewhere_after_saving_is_not_called(
    manager: Api, sending_app: Flask, receiver: Receiver, resolver: Resolver
) -> None:
    url = f"http://{resolver.NAME}:{receiver.port}/"
    made = manager.post("/webhooks", json={"url": url, "events": ["product.*"]}).get_json()
    resolver.addresses = ["10.0.0.1"]
    make_product(sending_app)
    delivery = Hook(sending_app, manager, made["id"], made["secret"]).attempt()
    assert delivery["error"].endswith("leads to 10.0.0.1, which is not a public address.")


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


@pytest.mark.parametrize(
    ("address", "network"),
    [("10.1.2.3", "10.1.0.0/16"), ("fd00::7", "fd00::/8"), ("::ffff:10.1.2.3", "10.1.0.0/16"),
     ("64:ff9b::a01:203", "10.1.0.0/16")],
)  # fmt: skip
def test_networks_that_are_allowed_may_be_called(address: str, network: str) -> None:
    assert not may_be_called(address, [])
    assert not may_be_called(address, ["10.2.0.0/16", "fd01::/16"])
    assert may_be_called(address, [network])


@given(st.ip_addresses(v=4).map(str) | st.ip_addresses(v=6).map(str))
def test_what_python_calls_not_global_is_never_called(address: str) -> None:
    if not ip_address(address).is_global and not address.startswith(("64:ff9b::", "::ffff:")):
        assert not may_be_called(address, [])
