"""Who a key stands for at this moment, and when it was last used."""

from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial
from uuid import UUID

import structlog
from sqlalchemy.exc import SQLAlchemyError

from stockroom.api_keys import keys, repository
from stockroom.api_keys.repository import Standing
from stockroom.core.database import now
from stockroom.core.errors import Busy, Unavailable
from stockroom.core.permissions import SCOPES, Caller
from stockroom.core.transaction import reading, transaction

log = structlog.get_logger(__name__)

USE_NOTED_EVERY = timedelta(minutes=1)


def find_caller(key: str) -> Caller | None:
    """Who may act by a key; None if it is none (any more), or its owner may not log in.

    What cannot be a key by its checksum is refused without a query.
    """
    if not keys.is_well_formed(key):
        return None
    return _caller(partial(repository.standing_of_digest, digest=keys.digest(key)))


def find_again(key_id: UUID) -> Caller | None:
    """The same for a key that was let in before."""
    return _caller(partial(repository.standing_of_id, key_id=key_id))


def _caller(standing: Callable[..., Standing | None]) -> Caller | None:
    moment = now()
    with reading() as session:
        found = standing(session, moment=moment)
    if found is None:
        return None
    _note_use(found, moment)
    # Of a scope that an older version gave, and this one does not know, nothing is left.
    scopes = frozenset(scope for scope in SCOPES if scope in found.scopes)
    return Caller(found.user_id, found.role, key_id=found.key_id, scopes=scopes)


def _note_use(found: Standing, moment: datetime) -> None:
    """Note the use once a minute; the request neither waits for it nor fails with it."""
    unless_after = moment - USE_NOTED_EVERY
    if found.last_used_at is not None and found.last_used_at > unless_after:
        return
    try:
        with transaction() as session:
            repository.note_use(session, found.key_id, moment, unless_after)
    except (Busy, Unavailable, SQLAlchemyError) as error:
        log.warning("use of a key not noted", key=str(found.key_id), reason=str(error))
