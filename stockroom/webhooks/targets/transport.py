"""Requests to addresses that were checked, over connections that are kept open."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from http.client import HTTPException, HTTPResponse, parse_headers
from threading import Lock

from urllib3 import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import ConnectTimeoutError, NewConnectionError
from urllib3.response import BaseHTTPResponse

from stockroom.webhooks.models import LONGEST_RESPONSE
from stockroom.webhooks.targets.sockets import BoundSocket, connected, tls_context
from stockroom.webhooks.targets.target import Target

CONNECTIONS_KEPT = 8
"""For each address: as many as requests are sent to one endpoint at once."""
ADDRESSES_KEPT = 500
INTERIM = frozenset(range(100, 200)) - {HTTPStatus.SWITCHING_PROTOCOLS}
INTERIM_AT_MOST = 20


@dataclass(frozen=True, slots=True)
class Answer:
    """What a receiver said.

    :ivar beginning: the first kilobyte of the body.
    """

    status: int
    retry_after: str | None
    beginning: bytes


class _FinalResponse(HTTPResponse):
    """The one that counts. Python passes over 100 alone, and would take what follows another
    interim one for the answer to the next request.
    """

    def begin(self) -> None:
        super().begin()
        # What comes from here on is not HTTP.
        self.will_close |= self.status == HTTPStatus.SWITCHING_PROTOCOLS

    def _read_status(self) -> tuple[str, int, str]:
        """Pass over interim ones, however many kinds there will be (RFC 9110, 15.2).

        :raises HTTPException: if they do not end.
        """
        for _ in range(INTERIM_AT_MOST + 1):
            version, status, reason = super()._read_status()  # type: ignore[misc]
            if status not in INTERIM:
                return version, status, reason
            parse_headers(self.fp)
        raise HTTPException(f"More than {INTERIM_AT_MOST} interim answers.")


class _Connection(HTTPConnection):
    response_class = _FinalResponse

    def _new_conn(self) -> BoundSocket:
        return _connected(self)


class _TLSConnection(HTTPSConnection):
    response_class = _FinalResponse

    def _new_conn(self) -> BoundSocket:
        return _connected(self)


class _Pool(HTTPConnectionPool):
    ConnectionCls = _Connection


class _TLSPool(HTTPSConnectionPool):
    ConnectionCls = _TLSConnection


class Transport:
    """Holds the open connections of one process. No proxy and no redirect is ever followed."""

    def __init__(self) -> None:
        self._tls = tls_context()
        self._pools: dict[tuple[str, str, int, str], HTTPConnectionPool] = {}
        self._lock = Lock()

    def post(
        self, target: Target, addresses: Sequence[str], headers: Mapping[str, str], body: bytes
    ) -> Answer:
        """Send to the first of the addresses that takes the connection.

        Must be called within ``sockets.all_within``.

        :raises HTTPError: of urllib3, where there is no answer.
        """
        *others, last = addresses
        for address in others:
            try:
                return self._post(target, address, headers, body)
            except NewConnectionError:
                continue
        return self._post(target, last, headers, body)

    def close(self) -> None:
        with self._lock:
            pools, self._pools = self._pools, {}
        for pool in pools.values():
            pool.close()

    def _post(
        self, target: Target, address: str, headers: Mapping[str, str], body: bytes
    ) -> Answer:
        response = self._pool(target, address).urlopen(
            "POST",
            target.path,
            body=body,
            headers={"Host": target.authority, **headers},
            retries=False,
            redirect=False,
            assert_same_host=False,
            preload_content=False,
            decode_content=False,
        )
        try:
            return _read(response)
        finally:
            # A connection whose answer was read to its end is back in the pool already.
            response.close()

    def _pool(self, target: Target, address: str) -> HTTPConnectionPool:
        key = (target.scheme, address, target.port, target.host)
        with self._lock:
            pool = self._pools.pop(key, None) or self._new_pool(target, address)
            # The last in the order of insertion is the one that was used last.
            self._pools[key] = pool
            if len(self._pools) > ADDRESSES_KEPT:
                self._pools.pop(next(iter(self._pools))).close()
        return pool

    def _new_pool(self, target: Target, address: str) -> HTTPConnectionPool:
        if target.scheme == "http":
            return _Pool(address, target.port, maxsize=CONNECTIONS_KEPT)
        return _TLSPool(
            address,
            target.port,
            maxsize=CONNECTIONS_KEPT,
            ssl_context=self._tls,
            server_hostname=target.host,
        )


def _connected(connection: HTTPConnection) -> BoundSocket:
    """To the very address that was checked, which is all that the pool knows of the host."""
    try:
        return connected(connection.host, connection.port)
    except TimeoutError as error:
        raise ConnectTimeoutError(connection, str(error)) from error
    except OSError as error:
        raise NewConnectionError(connection, error.strerror or str(error)) from error


def _read(response: BaseHTTPResponse) -> Answer:
    # One byte more than is kept: a body that ends by then leaves its connection to the next.
    beginning = response.read(LONGEST_RESPONSE + 1)[:LONGEST_RESPONSE]
    return Answer(response.status, response.headers.get("Retry-After"), beginning)
