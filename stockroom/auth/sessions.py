"""The life of a session, from its login on: refreshed, looked up, listed, ended."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from sqlalchemy.orm import Session

from stockroom.auth import repository
from stockroom.auth.credentials import Credentials
from stockroom.auth.errors import (
    InvalidRefreshToken,
    RefreshTokenReused,
    SessionEnded,
    SessionNotFound,
)
from stockroom.auth.models import LoginSession
from stockroom.core.context import Actor, settings
from stockroom.core.database import new_id, now
from stockroom.core.pagination import Page, PageRequest, read_page
from stockroom.core.permissions import Caller, Role
from stockroom.core.sql.question import Question
from stockroom.core.transaction import reading, transaction
from stockroom.mail.service import send
from stockroom.outbox.service import record
from stockroom.outbox.types import EventType
from stockroom.users import repository as users
from stockroom.users.models import User


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
    role: Role
    session_id: UUID
    counter: int
    expires_at: datetime


def open_session(session: Session, user: Credentials | User, device: Device) -> Grant:
    """A new session of a user who has just given the password.

    The transaction fails with ``BadCredentials`` if the account has another password by then, or
    is not active any more.
    """
    moment = now()
    login = LoginSession(
        id=new_id(),
        user_id=user.id,
        counter=0,
        created_at=moment,
        authenticated_at=moment,
        last_used_at=moment,
        expires_at=moment + timedelta(days=settings().session_days),
        device=device.name,
        address=device.address,
    )
    repository.add(session, login, user.password_changed_at)
    record(session, EventType.USER_LOGGED_IN, user.id, {}, by=Actor(user.id, login.id))
    return _granted(user, login)


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
        user = users.get(session, login.user_id)
        steps_behind = login.counter - counter
        if steps_behind < 0:
            raise InvalidRefreshToken
        if steps_behind == 0:
            login.counter += 1
        if steps_behind <= 1:
            login.last_used_at, login.address = moment, device.address
        else:
            _end_copied(session, login, user, device)
    # Raised after the commit: the request fails, and the session's end must not fail with it.
    if steps_behind > 1:
        raise RefreshTokenReused
    return _granted(user, login)


def caller_of(session_id: UUID, user_id: UUID) -> Question[Caller | None]:
    """Who a session stands for at this moment; None if it is over."""

    def caller(found: repository.Standing | None) -> Caller | None:
        return Caller(user_id, found.role, session_id, found.authenticated_at) if found else None

    return repository.standing(session_id, user_id, now()).then(caller)


def find_again(caller: Caller) -> Caller | None:
    """The same caller as the database has it now; None if the session is over."""
    return caller_of(caller.session_id, caller.user_id).answer() if caller.session_id else None


def log_out(caller: Caller, scope: Scope) -> None:
    """End the caller's own session, all others, or all."""
    with transaction() as session:
        end_sessions(
            session,
            caller.user_id,
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
        if not end_sessions(session, caller.user_id, only=session_id):
            raise SessionNotFound


def end_all_sessions(user_id: UUID) -> int:
    """End all sessions of an account; returns how many were open."""
    with transaction() as session:
        return end_sessions(session, user_id)


def remove_old_sessions() -> int:
    """Remove sessions that ended longer ago than events are kept; returns how many."""
    before = now() - timedelta(days=settings().event_days)
    with transaction() as session:
        return repository.remove_ended_before(session, before)


def end_sessions(
    session: Session, user_id: UUID, *, only: UUID | None = None, but: UUID | None = None
) -> int:
    """End open sessions within a transaction: all, one, or all but one; returns how many."""
    ended = repository.end(session, user_id, now(), only=only, but=but)
    if ended:
        data = {"sessions": [str(session_id) for session_id in ended]}
        record(session, EventType.USER_SESSIONS_ENDED, user_id, data)
    return len(ended)


def _granted(user: Credentials | User, login: LoginSession) -> Grant:
    return Grant(user.id, user.role, login.id, login.counter, login.expires_at)


def _end_copied(session: Session, login: LoginSession, user: User, device: Device) -> None:
    """End a session whose tokens somebody else has, and tell its owner."""
    login.ended_at = now()
    by = Actor(user.id, login.id)
    record(session, EventType.USER_REFRESH_TOKEN_REUSED, user.id, {"session": str(login.id)}, by=by)
    params = {"device": login.device or "unknown", "address": device.address or "unknown"}
    send(session, user.email, "auth/token_reused", params, user_id=user.id)
