"""Which network addresses may be called: public ones, and those of networks that are allowed."""

from collections.abc import Sequence
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

Address = IPv4Address | IPv6Address

# Named here although ``is_global`` knows most of them: which ones depends on Python's version.
_NOT_PUBLIC = [
    ip_network(network)
    for network in (
        "100.64.0.0/10",  # shared by a provider's customers (RFC 6598)
        "192.0.0.0/24",  # protocol assignments
        "192.88.99.0/24",  # relays of 6to4
        "198.18.0.0/15",  # benchmarks
        "240.0.0.0/4",  # reserved
        "2001::/23",  # protocol assignments, Teredo (RFC 4380) among them
        "2001:db8::/32",  # documentation
        "2002::/16",  # 6to4 (RFC 3056), which leads to an IPv4 address
        "3fff::/20",  # documentation
    )
]
# All that is given out for addresses of single hosts (RFC 4291, 2.4).
_GLOBAL_UNICAST = ip_network("2000::/3")
_NAT64 = ip_network("64:ff9b::/96")


def may_be_called(text: str, allowed: Sequence[str]) -> bool:
    """Whether the address is public, or in one of the networks that are allowed all the same."""
    address = _meant(ip_address(text))
    if any(address in ip_network(network) for network in allowed):
        return True
    if not address.is_global or address.is_multicast or address.is_reserved:
        return False
    if isinstance(address, IPv6Address) and address not in _GLOBAL_UNICAST:
        return False
    return not any(address in network for network in _NOT_PUBLIC)


def _meant(address: Address) -> Address:
    """The IPv4 address that an IPv6 address stands for, where a host or a gateway takes it so."""
    if isinstance(address, IPv6Address):
        if address.ipv4_mapped:
            return address.ipv4_mapped
        # Where there is IPv6 alone, names of IPv4 hosts resolve to these (RFC 6052, 2.1).
        if address in _NAT64:
            return IPv4Address(int(address) & 0xFFFFFFFF)
    return address
