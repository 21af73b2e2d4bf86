"""One attempt: check the target, sign, send, and tell what came back."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from time import monotonic, perf_counter

import structlog
from urllib3.exceptions import HTTPError, NewConnectionError, SSLError

from stockroom import __version__
from stockroom.core.database import now
from stockroom.webhooks.sending.backoff import read_retry_after
from stockroom.webhooks.sending.parcels import Parcel
from stockroom.webhooks.signatures import sign
from stockroom.webhooks.targets.sockets import all_within, seconds_left
from stockroom.webhooks.targets.target import TargetRefused, parse, resolve
from stockroom.webhooks.targets.transport import Answer, Transport

log = structlog.get_logger(__name__)

SUCCESSES = range(200, 300)
REDIRECTS = range(300, 400)
NOT_MADE = "The request could not be made."
RESOLVED_FOR_SECONDS = 5
NAMES_KEPT = 1000


@dataclass(frozen=True, slots=True)
class Result:
    """What came of a parcel.

    :ivar error: why there is no answer, or none that counts.
    """

    parcel: Parcel
    headers: dict[str, str]
    started_at: datetime
    milliseconds: int
    status: int | None = None
    error: str | None = None
    retry_after: datetime | None = None
    response: str | None = None

    @property
    def is_success(self) -> bool:
        return self.status in SUCCESSES


class Sender:
    """Sends parcels from any number of threads.

    :param http: whether targets may be http.
    :param networks: those that may be reached although they are not public.
    :param seconds: how long one attempt may take in all.
    """

    def __init__(self, *, http: bool, networks: Sequence[str], seconds: float) -> None:
        self._http, self._networks, self._seconds = http, networks, seconds
        self._transport = Transport()
        self._resolved: dict[str, tuple[float, list[str]]] = {}

    def close(self) -> None:
        self._transport.close()

    def send(self, parcel: Parcel) -> Result:
        """Never raises: whatever happens is the result."""
        started_at, before = now(), perf_counter()
        headers = _headers(parcel, started_at)
        answer, error = self._answer(parcel, headers)
        milliseconds = round((perf_counter() - before) * 1000)
        if answer is None:
            return Result(parcel, headers, started_at, milliseconds, error=error)
        return Result(
            parcel,
            headers,
            started_at,
            milliseconds,
            status=answer.status,
            error=error,
            retry_after=read_retry_after(answer.retry_after, now()),
            # PostgreSQL's text has no NUL.
            response=answer.beginning.decode("utf-8", "replace").replace("\x00", ""),
        )

    def _answer(self, parcel: Parcel, headers: dict[str, str]) -> tuple[Answer | None, str | None]:
        if not parcel.keys:
            return None, "The secret cannot be read: see ENCRYPTION_KEYS."
        ends_at = monotonic() + self._seconds
        try:
            with all_within(self._seconds):
                answer = self._post(parcel, headers)
        except TargetRefused as refusal:
            return None, str(refusal)
        except (HTTPError, OSError) as error:
            if monotonic() >= ends_at:
                return None, f"No answer within {self._seconds} seconds."
            return None, _reason(error)
        except Exception:
            # Whatever it is, this one fails, and is tried again like any other.
            log.exception("delivery failed", delivery=str(parcel.delivery_id))
            return None, NOT_MADE
        return answer, "Redirects are not followed." if answer.status in REDIRECTS else None

    def _post(self, parcel: Parcel, headers: dict[str, str]) -> Answer:
        target = parse(parcel.url, http=self._http)
        # Remembered for a moment, so that a busy endpoint does not ask the DNS each time. It is
        # addresses that are remembered, all of them checked, and one of them is connected to.
        until, addresses = self._resolved.get(target.host, (0.0, []))
        if until < monotonic():
            addresses = resolve(target, self._networks, seconds_left())
            if len(self._resolved) > NAMES_KEPT:
                self._resolved.clear()
            self._resolved[target.host] = (monotonic() + RESOLVED_FOR_SECONDS, addresses)
        return self._transport.post(target, addresses, headers, parcel.body)


def _headers(parcel: Parcel, moment: datetime) -> dict[str, str]:
    message_id, timestamp = str(parcel.event_id), int(moment.timestamp())
    return {
        "Content-Type": "application/json",
        "User-Agent": f"Stockroom/{__version__}",
        "webhook-id": message_id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": sign(parcel.keys, message_id, timestamp, parcel.body),
    }


def _reason(error: Exception) -> str:
    """In words, without the addresses of objects that the library puts into its own."""
    if isinstance(error, NewConnectionError):
        return f"No connection: {error.__cause__.strerror or error.__cause__}."  # type: ignore[union-attr]
    if isinstance(error, SSLError):
        return f"No secure connection: {error.args[0]}"
    return "The connection was closed before an answer came."
