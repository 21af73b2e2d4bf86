"""Targets that would lead inside are refused, at saving and at each attempt; nobody is called."""

from contextlib import closing

import pytest
from flask import Flask

from stockroom.webhooks.sending.attempt import Sender
from stockroom.webhooks.targets import target as targets
from tests.api import Api, assert_problem
from tests.factories.products import make_product
from tests.webhooks.hooks import Hook
from tests.webhooks.receivers import Receiver, parcel
from tests.webhooks.targets.resolvers import Resolver

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
