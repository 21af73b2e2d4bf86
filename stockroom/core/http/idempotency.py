"""Idempotency-Key: a request that is sent again is done once, and answered as the first time.

The key is committed together with the change and the answer, in one transaction: after a crash
there are either all three, or none. What is refused changes nothing, and leaves no key.
"""

import json
import re
from collections.abc import Callable
from hashlib import sha256
from http import HTTPStatus
from uuid import UUID

from flask import Response, current_app, g, request
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from stockroom.core import idempotency_keys as keys
from stockroom.core.callers.identity import current_caller
from stockroom.core.digests import keyed_digest
from stockroom.core.encryption import decrypt, encrypt
from stockroom.core.errors import Busy, Conflict, InvalidInput
from stockroom.core.http.parser import read_body
from stockroom.core.transaction import retried, transaction

HEADER = "Idempotency-Key"
REPLAYED = "Idempotent-Replayed"
WAIT_SECONDS = 3
"""How long a copy of a request waits for the first: less than for a connection."""

_VISIBLE = re.compile(rf"[!-~]{{1,{keys.LONGEST_KEY}}}")
_KEPT_HEADERS = ("Content-Type", "Location")


class RequestInFlight(Conflict):
    """A request with the same `Idempotency-Key` is still being worked on. Wait as many seconds as
    `Retry-After` says, and send yours again: it then gets the answer to the first one.
    """

    slug = "request-in-flight"
    title = "The same request is under way"
    retry_after = 1


class KeyReused(InvalidInput):
    """You have sent this `Idempotency-Key` before, with another method, address or body. A key
    stands for one request: choose a new one for a new request.
    """

    slug = "idempotency-key-reused"
    title = "The Idempotency-Key stands for another request"

    def __init__(self) -> None:
        super().__init__({HEADER: ["You have sent it with another request."]}, self.title)


def answer_once(make: Callable[[], ResponseReturnValue]) -> ResponseReturnValue:
    """The answer that ``make`` gives; to a key that has one, the same again.

    :raises RequestInFlight: if another request is under way with the key.
    :raises KeyReused: if the key stands for another request.
    :raises InvalidInput: if the header holds no key.
    """
    if HEADER not in request.headers:
        return make()
    key = request.headers[HEADER]
    if not _VISIBLE.fullmatch(key):
        wanted = f"Must be 1 to {keys.LONGEST_KEY} visible ASCII characters."
        raise InvalidInput({HEADER: [wanted]})
    return retried(_answer)(key, make)


def _answer(key: str, make: Callable[[], ResponseReturnValue]) -> Response:
    user_id, fingerprint = current_caller().user_id, _fingerprint()
    with transaction(lock_seconds=WAIT_SECONDS) as session:
        if not _claimed(session, user_id, key, fingerprint):
            return _replay(session, user_id, key, fingerprint)
        response = current_app.make_response(make())
        keys.keep_answer(session, user_id, key, encrypt(_preserved(response)))
    return response


def _claimed(session: Session, user_id: UUID, key: str, fingerprint: str) -> bool:
    try:
        with transaction():
            return keys.claim(session, user_id, key, fingerprint)
    except Busy:
        raise RequestInFlight from None


def _replay(session: Session, user_id: UUID, key: str, fingerprint: str) -> Response:
    kept = keys.find(session, user_id, key)
    if kept is None or kept.answer is None:
        # It was removed just now, being a day old.
        raise RequestInFlight
    if kept.fingerprint != fingerprint:
        raise KeyReused
    return _revived(decrypt(kept.answer))


def _fingerprint() -> str:
    """Of what the client asks for: method, address and body.

    Keyed: a body may hold a password, which whoever reads the table could else try to guess.
    """
    address = f"{request.method} {request.path}?".encode() + request.query_string
    asked = sha256(address + b"\0" + read_body(request))
    return keyed_digest("idempotency", asked.hexdigest())


def _preserved(response: Response) -> str:
    headers = {name: response.headers[name] for name in _KEPT_HEADERS if name in response.headers}
    body = response.get_data(as_text=True)
    return json.dumps([response.status_code, headers, g.get("etag"), body])


def _revived(answer: str) -> Response:
    status, headers, etag, body = json.loads(answer)
    response = current_app.response_class(body, status=HTTPStatus(status), headers=headers)
    if etag:
        g.etag = etag
    response.headers[REPLAYED] = "true"
    return response
