"""Where requests come from, as it is told of them and as they are counted together."""

import re
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

_WITH_PORT = re.compile(r"\[([^\]]*)\](?::\d+)?|([^:]*):\d+")


@lru_cache(maxsize=1024)
def plain_address(address: str) -> str:
    """The address alone: proxies add ports, and who listens to both families at once is told
    IPv4's as ``::ffff:192.0.2.1``.

    What is no address, such as what a socket file gives, is taken as it is.
    """
    parsed = _parsed(address)
    return address if parsed is None else str(parsed)


@lru_cache(maxsize=1024)
def network_of(address: str) -> str:
    """The plain address; of IPv6 the /64, all of which one customer of a provider has."""
    parsed = _parsed(address)
    if isinstance(parsed, IPv6Address):
        return str(ip_network((parsed, 64), strict=False))
    return address if parsed is None else str(parsed)


def _parsed(address: str) -> IPv4Address | IPv6Address | None:
    found = _WITH_PORT.fullmatch(address)
    alone = (found[1] or found[2] or "") if found else address
    try:
        parsed = ip_address(alone.partition("%")[0])
    except ValueError:
        return None
    return (parsed.ipv4_mapped or parsed) if isinstance(parsed, IPv6Address) else parsed
