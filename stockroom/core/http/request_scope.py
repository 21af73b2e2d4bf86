"""What is known of a request while it is answered, and the line in the log when it was."""

import re
from time import perf_counter

from uuid_utils import uuid7

from stockroom.core import metrics
from stockroom.core.callers.networks import plain_address
from stockroom.core.context import actor, client_address
from stockroom.core.logging import Line, request_id, say

_SANE_ID = re.compile(r"[A-Za-z0-9._:/+=-]{1,128}")


def begin(sent_id: str, address: str | None) -> str:
    """Give the request an id, which every log line and problem of it carries; returns it.

    :param sent_id: the one that the client has sent, if any; taken if it is sane.
    """
    own_id = sent_id if _SANE_ID.fullmatch(sent_id) else str(uuid7())
    request_id.set(own_id)
    # A test calls from the context that it is in itself: nobody is left over from another request.
    actor.set(None)
    # A socket file has no address, and a proxy may give anything for one.
    client_address.set(plain_address(address or "")[:45] or None)
    return own_id


def end() -> None:
    """The thread's next words, such as the server's own on a connection, are not of this one."""
    request_id.set(None)
    client_address.set(None)
    actor.set(None)


def note(
    began: float,
    status: int,
    *,
    own_id: str | None,
    method: str,
    endpoint: str | None,
    path: str,
    address: str | None,
) -> None:
    """Count the request, and log it.

    :param endpoint: Flask's name of the view; None where no view has the address.
    :param began: when, in seconds of ``time.perf_counter``.
    """
    seconds = perf_counter() - began
    metrics.count_request(method, endpoint, status, seconds)
    say(
        "stockroom.core.http.edge",
        Line(
            method=method,
            path=path,
            status=status,
            milliseconds=round(seconds * 1000, 1),
            address=plain_address(address or "") or None,
            event="request",
            request_id=own_id,
        ),
    )
