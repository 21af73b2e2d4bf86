"""An address is the same however it comes, and what cannot be told apart counts as one."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stockroom.core.callers.networks import network_of, plain_address


@pytest.mark.parametrize(
    ("sent", "plain"),
    [("192.0.2.1", "192.0.2.1"), ("192.0.2.1:40000", "192.0.2.1"),
     ("::ffff:192.0.2.1", "192.0.2.1"), ("[::ffff:192.0.2.1]:40000", "192.0.2.1"),
     ("2001:db8::1", "2001:db8::1"), ("[2001:db8::1]:40000", "2001:db8::1"),
     ("[2001:db8::1]", "2001:db8::1"), ("2001:0DB8:0::1", "2001:db8::1"),
     ("fe80::1%eth0", "fe80::1"), ("", ""), ("unix:", "unix:"), ("shop:80", "shop:80"),
     ("1:2", "1:2"), ("[]", "[]"), ("192.0.2.1:", "192.0.2.1:")],
)  # fmt: skip
def test_an_address_is_told_without_what_proxies_and_sockets_add(sent: str, plain: str) -> None:
    assert plain_address(sent) == plain


@pytest.mark.parametrize(
    ("sent", "network"),
    [("::ffff:192.0.2.1", "192.0.2.1"), ("192.0.2.1:40000", "192.0.2.1"),
     ("2001:db8:1:2:3::7", "2001:db8:1:2::/64"), ("[2001:db8:1:2:3::7]:1", "2001:db8:1:2::/64"),
     ("fe80::1%eth0", "fe80::/64"), ("", ""), ("unix:", "unix:")],
)  # fmt: skip
def test_a_network_is_an_address_of_ipv4_or_what_one_customer_has(sent: str, network: str) -> None:
    assert network_of(sent) == network


@given(st.ip_addresses(v=4).map(str), st.ip_addresses(v=4).map(str))
def test_two_addresses_of_ipv4_are_two_networks_however_they_are_written(
    one: str, other: str
) -> None:
    assert (network_of(f"::ffff:{one}") == network_of(f"{other}:80")) is (one == other)
