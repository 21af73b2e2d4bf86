"""Logging in, and passwords."""

from uuid import UUID

from sqlalchemy.orm import Session

from stockroom.auth import credentials, repository, throttling
from stockroom.auth.credentials import Credentials
from stockroom.auth.errors import BadCredentials, EmailNotVerified
from stockroom.auth.sessions import Device, Grant, end_sessions, open_session
from stockroom.core.context import client_address, settings
from stockroom.core.database import now
from stockroom.core.errors import RecentLoginRequired
from stockroom.core.permissions import Caller
from stockroom.core.transaction import reading, transaction
from stockroom.mail.service import send
from stockroom.outbox.service import record
from stockroom.outbox.types import EventType
from stockroom.second_factor import service as second_factor
from stockroom.users import repository as users
from stockroom.users.models import User
from stockroom.users.passwords import (
    hash_password,
    needs_rehash,
    require_acceptable,
    verify_password,
)


def log_in(email: str, password: str, device: Device, code: str | None = None) -> Grant:
    """Open a session.

    :param code: of the second factor, or a recovery code, if the account has one.
    :raises TooManyAttempts: if too many have failed before.
    :raises BadCredentials: for an unknown address, a wrong password, an inactive account.
    :raises EmailNotVerified: if the settings ask for a proof that the address is the user's.
    :raises SecondFactorRequired: if the account has a second factor, and no code was given.
    :raises BadCode: if the code is not right, or was used before.
    """
    attempt = throttling.begin(email)
    user = credentials.of(email)
    with throttling.counted(attempt, user.id if user else None):
        # The hash is checked without a database connection in hand: it takes far longer than a
        # query, and nothing is gained by others waiting for the connection.
        is_right = verify_password(user.password_hash if user else None, password)
        if user is None or not is_right or not user.is_active:
            raise BadCredentials
        if settings().login_needs_verified_email and not user.email_verified:
            raise EmailNotVerified
        new_hash = hash_password(password) if needs_rehash(user.password_hash) else None
        with transaction() as session:
            account: Credentials | User = user
            if user.has_second_factor or new_hash is not None:
                account = locked(session, user)
                second_factor.require(session, user.id, code)
                if new_hash is not None:
                    account.password_hash = new_hash
            # Where the password was changed meanwhile, or the account deactivated, no session
            # comes of it. A second factor that was switched on meanwhile is not asked for: it ends
            # no session that began before, and this login did.
            grant = open_session(session, account, device)
            throttling.succeed(session, attempt)
        return grant


def reauthenticate(caller: Caller, password: str, code: str | None = None) -> None:
    """Let the caller's session count as one that has just logged in.

    :raises BadCredentials: for a wrong password.
    :raises TooManyAttempts: if too many have failed before.
    """
    user = verified(caller, password)
    moment = now()
    attempt = throttling.begin(user.email)
    with throttling.counted(attempt, user.id), transaction() as session:
        locked(session, user)
        login = repository.lock_open_session(session, _session_of(caller), moment)
        if login is None:
            raise BadCredentials
        second_factor.require(session, user.id, code)
        login.authenticated_at = moment
        record(session, EventType.USER_REAUTHENTICATED, user.id, {})


def change_password(caller: Caller, current: str, new: str) -> None:
    """Give the caller another password, and end the caller's other sessions.

    :raises BadCredentials: if the current password is wrong.
    :raises TooManyAttempts: if too many have failed before.
    :raises InvalidInput: for a password that is too easy to guess.
    """
    user = verified(caller, current)
    require_acceptable(new, user.email, "new_password")
    new_hash = hash_password(new)
    with transaction() as session:
        replace_password(session, locked(session, user), new_hash, but=caller.session_id)


def set_password(user_id: UUID, password: str) -> None:
    """Give an account another password, and end all its sessions.

    :raises UserNotFound: if there is none.
    :raises InvalidInput: for a password that is too easy to guess.
    """
    with reading() as session:
        require_acceptable(password, users.get(session, user_id).email)
    password_hash = hash_password(password)
    with transaction() as session:
        replace_password(session, users.get(session, user_id, lock=True), password_hash)


def reset_second_factor(user_id: UUID) -> None:
    """Switch the second factor of an account off, for an owner who lost it; its sessions end.

    :raises NoSecondFactor: if there is none.
    """
    with transaction() as session:
        second_factor.disable_within(session, user_id)
        end_sessions(session, user_id)


def replace_password(
    session: Session,
    user: User,
    password_hash: str,
    *,
    event_type: EventType = EventType.USER_PASSWORD_CHANGED,
    but: UUID | None = None,
) -> None:
    """Give a locked account another password within a transaction, and tell its owner by mail.

    :param but: the session that goes on; all others end, and mails with links lose their power.
    """
    user.password_hash, user.password_changed_at = password_hash, now()
    end_sessions(session, user.id, but=but)
    throttling.welcome(session, user.email)
    record(session, event_type, user.id, {})
    params = {"address": client_address.get() or "unknown"}
    send(session, user.email, "auth/password_changed", params, user_id=user.id)


def verified(caller: Caller, password: str) -> User:
    """The caller's account, as it was when its password was found to be right.

    :raises BadCredentials: for a wrong password.
    :raises TooManyAttempts: if too many have failed before.
    """
    with reading() as session:
        user = users.get(session, caller.user_id)
    attempt = throttling.begin(user.email)
    with throttling.counted(attempt, user.id):
        if not verify_password(user.password_hash, password):
            raise BadCredentials
    return user


def locked(session: Session, user: Credentials | User) -> User:
    """An account whose password was checked, as it is now; locked until the transaction ends.

    :raises BadCredentials: if it is not active any more, or has another password.
    """
    stored = users.lock_unchanged(session, user.id, user.password_changed_at)
    if stored is None:
        raise BadCredentials
    return stored


def _session_of(caller: Caller) -> UUID:
    if caller.session_id is None:
        raise RecentLoginRequired
    return caller.session_id
