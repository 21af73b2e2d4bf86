"""Which addresses may be called at all."""

from ipaddress import ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stockroom.webhooks.targets.addresses import may_be_called


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
