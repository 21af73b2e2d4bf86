"""Flask, without what each request would pay for and none of ours uses."""

from collections.abc import Callable
from typing import Any

from flask import Flask, Request
from flask.sessions import NullSession, SessionInterface

_NO_SESSION = NullSession()


class _NoSessions(SessionInterface):
    """Who is calling is told by tokens and keys; nothing is kept in a cookie of Flask's."""

    def open_session(self, app: Flask, request: Request) -> NullSession:  # noqa: ARG002
        return _NO_SESSION

    def save_session(self, *_: Any) -> None:
        """There is nothing to save: whoever writes to a ``NullSession`` is refused."""


class Application(Flask):
    session_interface = _NoSessions()

    def ensure_sync(self, func: Callable[..., Any]) -> Callable[..., Any]:
        # No view is a coroutine, nor is what stands around it: Flask looks at each, each time.
        return func
