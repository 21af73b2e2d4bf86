"""Registration, login, and the life of a session."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from stockroom.auth import repository
from stockroom.auth.errors import (
    BadCredentials,
    InvalidRefreshToken,
    RefreshTokenReused,
    SessionEnded,
    SessionNotFound,
)
from stockroom.auth.models import LoginSession
from stockroom.core.context import settings
from stockroom.core.database import now
from stockroom.core.pagination import Page, PageRequest, read_page
from stockroom.core.permissions import Caller
from stockroom.core.transaction import reading, transaction
from stockroom.outbox.service import record
from stockroom.outbox.types import EventType
from stockroom.users import repository as users
from stockroom.users.passwords import hash_password, needs_rehash, verify_password


class Scope(StrEnum):
    """Which of the caller's sessions a logout ends."""

    LOCAL = "local"
    OTHERS = "others"
    ALL = "all"


@dataclass(frozen=True, slots=True)
class Device:
    """Where a login comes from, as its owner will see it in the list of sessions."""

    name: str | None
    address: str | None


@dataclass(frozen=True, slots=True)
class Grant:
    """What a client may have tokens for.

    :ivar counter: the number that the refresh token carries.
    :ivar expires_at: when the session, and so its last refresh token, ends at the latest.
    """

    user_id: UUID
    session_id: UUID
    counter: int
    expires_at: datetime


def log_in(email: str, password: str, device: Device) -> Grant:
    """Open a session.

    :raises BadCredentials: for an unknown address, a wrong password, an inactive account.
    """
    with reading() as session:
        user = users.find_by_email(session, email)
    # The hash is checked without a database connection in hand: it takes far longer than a
    # query, and nothing is gained by others waiting for the connection.
    is_right = verify_password(user.password_hash if user else None, password)
    if user is None or not is_right or not user.is_active:
        raise BadCredentials
    new_hash = hash_password(password) if needs_rehash(user.password_hash) else user.password_hash
    moment = now()
    login = LoginSession(
        user_id=user.id,
        created_at=moment,
        last_used_at=moment,
        expires_at=moment + timedelta(days=settings().session_days),
        device=device.name,
        address=device.address,
    )
    with transaction() as session:
        # Asked again under a lock: where the password was changed meanwhile, or the account
        # deactivated, no session may come of it.
        stored = users.lock_unchanged(session, user)
        if stored is None:
            raise BadCredentials
        stored.password_hash = new_hash
        session.add(login)
    return _grant(login)


def refresh(session_id: UUID, counter: int, device: Device) -> Grant:
    """Exchange a refresh token, known by its session and counter, for the next one.

    The token just before the newest is accepted once more: a client that lost the answer, or
    a second tab, asks again with it. An older one must have been copied.

    :raises SessionEnded: if the session is over or its account inactive.
    :raises RefreshTokenReused: for an older token; the session is then ended.
    """
    moment = now()
    with transaction() as session:
        login = repository.lock_open_session(session, session_id, moment)
        if login is None:
            raise SessionEnded
        steps_behind = login.counter - counter
        if steps_behind < 0:
            raise InvalidRefreshToken
        if steps_behind == 0:
            login.counter += 1
        if steps_behind <= 1:
            login.last_used_at, login.address = moment, device.address
        else:
            login.ended_at = moment
    # Raised after the commit: the request fails, and the session's end must not fail with it.
    if steps_behind > 1:
        raise RefreshTokenReused
    return _grant(login)


def find_caller(session_id: UUID, user_id: UUID) -> Caller | None:
    """Who an access token stands for at this moment; None if its session is over."""
    with reading() as session:
        role = repository.role_in_open_session(session, session_id, user_id, now())
    return Caller(user_id, session_id, role) if role else None


def log_out(caller: Caller, scope: Scope) -> None:
    """End the caller's own session, all others, or all."""
    with transaction() as session:
        repository.end(
            session,
            caller.user_id,
            now(),
            only=caller.session_id if scope is Scope.LOCAL else None,
            but=caller.session_id if scope is Scope.OTHERS else None,
        )


def list_sessions(caller: Caller, page: PageRequest) -> Page[LoginSession]:
    """The caller's open sessions, newest first."""
    with reading() as session:
        statement = repository.open_sessions(caller.user_id, now())
        return read_page(session, statement, repository.NEWEST_FIRST, page)


def end_session(caller: Caller, session_id: UUID) -> None:
    """End one of the caller's own sessions.

    :raises SessionNotFound: if none of them that is open has this id.
    """
    with transaction() as session:
        if not repository.end(session, caller.user_id, now(), only=session_id):
            raise SessionNotFound


def end_all_sessions(user_id: UUID) -> int:
    """End all sessions of an account; returns how many were open."""
    with transaction() as session:
        return len(repository.end(session, user_id, now()))


def set_password(user_id: UUID, password: str) -> None:
    """Give an account another password, and end all its sessions.

    :raises UserNotFound: if there is none.
    """
    password_hash = hash_password(password)
    with transaction() as session:
        users.get(session, user_id, lock=True).password_hash = password_hash
        repository.end(session, user_id, now())
        record(session, EventType.USER_PASSWORD_CHANGED, user_id, {})


def _grant(login: LoginSession) -> Grant:
    return Grant(login.user_id, login.id, login.counter, login.expires_at)
