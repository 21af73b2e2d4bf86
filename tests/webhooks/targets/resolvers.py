"""A resolver of names that answers as a test wants for one of them."""

import socket
from threading import Event
from typing import Any

import pytest


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
