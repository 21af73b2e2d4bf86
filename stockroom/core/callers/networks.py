"""Where requests come from, as far as they are counted together."""

from ipaddress import ip_address, ip_network


def network_of(address: str) -> str:
    """The address; of IPv6 the /64, all of which one customer of a provider has.

    What is no address, such as what a proxy or a socket file gives, is taken as it is.
    """
    try:
        parsed = ip_address(address.partition("%")[0])
    except ValueError:
        return address
    return address if parsed.version == 4 else str(ip_network((parsed, 64), strict=False))  # noqa: PLR2004 - the version itself
