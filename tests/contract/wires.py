"""Many connections at once that are kept alive, in one thread."""

import asyncio
import json
from collections.abc import Mapping
from typing import Any

from tests.api import PREFIX
from tests.contract.web import Answer


class Lost(Exception):
    """The connection broke before the whole answer was there."""


class Wire:
    """A connection that sends one request after another, as whoever holds the token.

    It is opened with the first request, and again with the first after it was lost.
    """

    def __init__(self, port: int, token: str) -> None:
        self._port = port
        self._head = (
            f"Host: stockroom.example\r\nAuthorization: Bearer {token}\r\n"
            "Content-Type: application/json\r\n"
        )
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def post(
        self, path: str, body: Mapping[str, Any] | None = None, *, key: str = ""
    ) -> Answer:
        """The answer to a POST to a path below ``/api/v1``.

        :raises Lost: if there is none.
        """
        content = json.dumps(body).encode() if body is not None else b""
        extra = f"Idempotency-Key: {key}\r\n" if key else ""
        address = path if path.startswith(PREFIX) else f"{PREFIX}{path}"
        head = f"POST {address} HTTP/1.1\r\n{self._head}{extra}Content-Length: {len(content)}\r\n"
        try:
            return await self._exchange(f"{head}\r\n".encode() + content)
        except (OSError, asyncio.IncompleteReadError) as error:
            self.close()
            raise Lost from error

    def close(self) -> None:
        if self._streams:
            self._streams[1].close()
            self._streams = None

    async def _exchange(self, request: bytes) -> Answer:
        if self._streams is None:
            self._streams = await asyncio.open_connection("127.0.0.1", self._port)
        reader, writer = self._streams
        writer.write(request)
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        status = int(head[0].split(" ", 2)[1])
        fields = (line.partition(":") for line in head[1:] if line)
        headers = {name.lower(): value.strip() for name, _, value in fields}
        body = await reader.readexactly(int(headers.get("content-length", 0)))
        if headers.get("connection") == "close":
            self.close()
        return Answer(status, headers, body)
