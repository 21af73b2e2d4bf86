"""Where a webhook may lead: https, to addresses that are public, each time it is called.

Whoever names a target must not reach through us what only we can reach (server-side request
forgery). A name is therefore resolved by us, and the connection goes to an address that was
checked: a name that changes its address afterwards changes nothing.
"""

import re
import socket
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address
from queue import Empty, SimpleQueue
from threading import Thread
from urllib.parse import SplitResult, urlsplit

from stockroom.webhooks.models import LONGEST_URL
from stockroom.webhooks.targets.addresses import may_be_called

PORTS = {"https": 443, "http": 80}
_NAME = re.compile(r"(?!-)[a-z0-9_-]{1,63}(?<!-)(\.(?!-)[a-z0-9_-]{1,63}(?<!-))*\.?")
_LOOKS_NUMERIC = re.compile(r"(^|\.)([0-9]+|0x[0-9a-f]*)\.?$")


class TargetRefused(Exception):
    """Nothing is sent there; the message says why."""


@dataclass(frozen=True, slots=True)
class Target:
    """A URL, taken apart.

    :ivar host: a name in ASCII, or an address without brackets.
    :ivar path: with the query.
    """

    scheme: str
    host: str
    port: int
    path: str

    @property
    def authority(self) -> str:
        """The header ``Host``."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == PORTS[self.scheme] else f"{host}:{self.port}"


@lru_cache(maxsize=1024)
def parse(url: str, *, http: bool) -> Target:
    """:param http: whether ``http://`` may be called as well.

    :raises TargetRefused: if it is not a URL of a kind that is called.
    """
    if len(url) > LONGEST_URL:
        raise TargetRefused(f"Longer than {LONGEST_URL} characters.")
    # Python drops line breaks and tabs from a URL, and what follows a backslash is read in two
    # ways; both could name another host than they seem to.
    if re.search(r"[\s\\\x00-\x20\x7f]", url):
        raise TargetRefused("Holds characters that a URL cannot have.")
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise TargetRefused("Not a URL.") from None
    if parts.scheme not in (PORTS if http else ("https",)):
        raise TargetRefused("Must begin with https://.")
    if "@" in parts.netloc or "#" in url:
        raise TargetRefused("Must have no user, no password and no fragment.")
    if port == 0:
        raise TargetRefused("Not a URL.")
    path = _ascii_path(parts)
    return Target(parts.scheme, _host(parts), port or PORTS[parts.scheme], path)


def resolve(target: Target, allowed: Sequence[str], seconds: float) -> list[str]:
    """The addresses of the target, each of which may be called.

    :param allowed: networks that may be called although they are not public.
    :raises TargetRefused: if one of them may not be called, or there is none.
    """
    found = _looked_up(target, seconds)
    for address in found:
        if not may_be_called(address, allowed):
            raise TargetRefused(f"{target.host} leads to {address}, which is not a public address.")
    return found


def _host(parts: SplitResult) -> str:
    host = parts.hostname or ""
    if "[" in parts.netloc:
        return _ipv6(host)
    name = _ascii(host)
    if _LOOKS_NUMERIC.search(name):
        # Resolvers read 2130706433, 0x7f.1 and 0177.0.0.1 as addresses too; nobody means them.
        with suppress(ValueError):
            return str(IPv4Address(name))
        raise TargetRefused("The host is not an address such as 192.0.2.1.")
    if not _NAME.fullmatch(name):
        raise TargetRefused("The host is not a name such as shop.example.")
    return name


def _ipv6(text: str) -> str:
    try:
        address = IPv6Address(text)
    except ValueError:
        raise TargetRefused("The host is not an address such as [2001:db8::1].") from None
    if address.scope_id is not None:
        raise TargetRefused("The host names a network of this machine.")
    return str(address)


def _ascii(host: str) -> str:
    """The name as the DNS has it (IDNA)."""
    if host.isascii():
        return host
    try:
        encoded = host.encode("idna")
        is_same = encoded.decode("idna") == host
    except UnicodeError:
        is_same = False
    # A name that changes on its way there and back is one of look-alikes, such as digits in
    # circles, or one that newer rules lead elsewhere.
    if not is_same:
        raise TargetRefused("Write the host as the DNS has it, such as xn--mnchen-3ya.example.")
    return encoded.decode("ascii")


def _ascii_path(parts: SplitResult) -> str:
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    if not path.isascii():
        raise TargetRefused("Write what is not ASCII in path and query as %C3%BC.")
    return path


def _looked_up(target: Target, seconds: float) -> list[str]:
    """Resolve the name, and wait no longer than that: the system's resolver knows no timeout."""
    answers: SimpleQueue[list[str] | OSError] = SimpleQueue()

    def ask() -> None:
        try:
            found = socket.getaddrinfo(target.host, target.port, type=socket.SOCK_STREAM)
            answers.put(list(dict.fromkeys(str(entry[4][0]) for entry in found)))
        except (OSError, UnicodeError) as error:
            answers.put(error if isinstance(error, OSError) else OSError(str(error)))

    Thread(target=ask, name="webhooks:resolve", daemon=True).start()
    try:
        answer = answers.get(timeout=seconds)
    except Empty:
        raise TargetRefused(f"The name {target.host} was not resolved in time.") from None
    if isinstance(answer, OSError) or not answer:
        raise TargetRefused(f"The name {target.host} does not resolve.")
    return answer
