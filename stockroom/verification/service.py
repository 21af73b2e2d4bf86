"""Registration, and what a token from a mail is good for."""

from contextvars import Token

from sqlalchemy.orm import Session

from stockroom.api_keys import service as api_keys
from stockroom.auth import service as auth
from stockroom.core.context import Actor, acting_as, client_address
from stockroom.core.database import now
from stockroom.core.errors import InvalidInput
from stockroom.core.permissions import Caller
from stockroom.core.transaction import reading, transaction
from stockroom.outbox.service import record
from stockroom.outbox.types import EventType
from stockroom.second_factor import service as second_factor
from stockroom.users import repository as users
from stockroom.users.errors import EmailTaken
from stockroom.users.models import User
from stockroom.users.passwords import hash_password, require_acceptable
from stockroom.users.service import new_user, state_of
from stockroom.verification import repository
from stockroom.verification.errors import InvalidMailedToken
from stockroom.verification.models import MailedToken, MailRequest, Purpose
from stockroom.verification.tokens import digest_of, mail_token, tell


def register(*, email: str, password: str, full_name: str | None = None) -> User:
    """Make a customer's account at the wish of its owner, and mail a token to verify the address.

    For an address that has an account the same is done, with a mail to its owner: the time must not
    tell more than the answer.

    :raises InvalidInput: for a password that is too easy to guess.
    :raises EmailTaken: if the address has an account.
    """
    user = new_user(email, password, full_name)
    with transaction() as session:
        is_new = users.add_unless_taken(session, user)
        if is_new:
            record(session, EventType.USER_REGISTERED, user.id, state_of(user), by=Actor(user.id))
            mail_token(session, user, Purpose.VERIFY)
        else:
            _tell_owner(session, email)
    # Raised after the commit: the mail to the owner must not fail with the request.
    if not is_new:
        raise EmailTaken
    return user


def request_mail(purpose: Purpose, email: str) -> None:
    """Ask for a mail with a token; does the same whether or not the address has an account.

    The job is not woken: it would be at work for an account while its request is being answered.
    """
    request = MailRequest(purpose=purpose, address=email, client_address=client_address.get())
    with transaction() as session:
        session.add(request)


def request_own_verification(caller: Caller) -> None:
    """Ask for a mail that verifies the caller's address."""
    with reading() as session:
        email = users.get(session, caller.user_id).email
    request_mail(Purpose.VERIFY, email)


def answer_requests() -> None:
    """Write the mails that were asked for, one transaction each."""
    while _answer_next():
        pass


def verify(token: str) -> None:
    """The address of the account is its owner's: the token was mailed there.

    :raises InvalidMailedToken: if it is not good (any more).
    """
    with transaction() as session:
        user, _ = _take(session, Purpose.VERIFY, token)
        _verified(session, user)


def reset_password(token: str, new_password: str) -> None:
    """Give an account another password, and end its sessions.

    If nobody has proven yet to own the address, its API keys and its second factor end as well.

    :raises InvalidMailedToken: if the token is not good (any more).
    :raises InvalidInput: for a password that is too easy to guess; the token is still good then.
    """
    with reading() as session:
        owner = repository.owner_of(session, Purpose.RESET, digest_of(token), now())
    if owner is None:
        raise InvalidMailedToken
    require_acceptable(new_password, owner.email, "new_password")
    password_hash = hash_password(new_password)
    with transaction() as session:
        user, _ = _take(session, Purpose.RESET, token)
        with acting_as(Actor(user.id)):
            if not user.email_verified:
                _hand_over(session, user)
            auth.replace_password(
                session, user, password_hash, event_type=EventType.USER_PASSWORD_RESET
            )


def request_change(caller: Caller, email: str, password: str) -> None:
    """Ask for another address: a token is mailed there, and an announcement to the present one.

    If the new one has an account, its owner is told instead, and the caller learns nothing of it.

    :raises BadCredentials: for a wrong password.
    :raises TooManyAttempts: if too many have failed before.
    :raises InvalidInput: if it is the account's address already.
    """
    checked = auth.verified(caller, password)
    with transaction() as session:
        user = auth.locked(session, checked)
        if email == user.email:
            raise InvalidInput({"email": ["This is your address already."]})
        record(session, EventType.USER_EMAIL_CHANGE_REQUESTED, user.id, {})
        tell(session, user, "change_announced")
        if users.find_by_email(session, email):
            _tell_owner(session, email)
        else:
            mail_token(session, user, Purpose.CHANGE, email)


def confirm_change(token: str) -> None:
    """Give the account the address that the token was mailed to.

    :raises InvalidMailedToken: if it is not good (any more).
    :raises EmailTaken: if another account has the address by now.
    """
    with transaction() as session:
        user, mailed = _take(session, Purpose.CHANGE, token)
        former, user.email = user.email, mailed.new_address or user.email
        user.email_verified_at = now()
        record(session, EventType.USER_EMAIL_CHANGED, user.id, {}, by=Actor(user.id))
        tell(session, user, "changed", former=former)


def remove_expired() -> int:
    """Remove tokens that nobody used in time; returns how many."""
    with transaction() as session:
        return repository.remove_expired(session, now())


def _answer_next() -> bool:
    with transaction() as session:
        request = repository.lock_next_request(session)
        if request is None:
            return False
        # The mail and the event tell where the request came from.
        before: Token[str | None] = client_address.set(request.client_address)
        try:
            _answer(session, request)
        finally:
            client_address.reset(before)
        session.delete(request)
    return True


def _answer(session: Session, request: MailRequest) -> None:
    user = users.find_by_email(session, request.address, lock=True)
    if user is None or not user.is_active:
        return
    if request.purpose is Purpose.VERIFY and user.email_verified:
        return
    mail_token(session, user, request.purpose)
    is_reset = request.purpose is Purpose.RESET
    asked = EventType.USER_PASSWORD_FORGOTTEN if is_reset else EventType.USER_VERIFICATION_REQUESTED
    record(session, asked, user.id, {})


def _take(session: Session, purpose: Purpose, token: str) -> tuple[User, MailedToken]:
    taken = repository.take(session, purpose, digest_of(token), now())
    if taken is None:
        raise InvalidMailedToken
    return taken


def _hand_over(session: Session, user: User) -> None:
    """Give the account to the owner of its address: until now it may have been a stranger's, who
    has made what outlives a password.
    """
    api_keys.revoke_all_within(session, user.id)
    second_factor.remove_within(session, user.id)
    _verified(session, user)


def _verified(session: Session, user: User) -> None:
    user.email_verified_at = now()
    record(session, EventType.USER_EMAIL_VERIFIED, user.id, {}, by=Actor(user.id))


def _tell_owner(session: Session, email: str) -> None:
    """Tell whoever has the address that somebody wants to use it for an account."""
    owner = users.find_by_email(session, email)
    if owner is not None:
        record(session, EventType.USER_REGISTRATION_REFUSED, owner.id, {})
        tell(session, owner, "address_taken")
