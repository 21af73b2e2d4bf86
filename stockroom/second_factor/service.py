"""What owners do with their second factor, and what a login asks of it."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from stockroom.core.context import Actor, actor, client_address
from stockroom.core.database import now
from stockroom.core.encryption import decrypt, encrypt, renewed
from stockroom.core.transaction import reading, transaction
from stockroom.mail.service import send
from stockroom.outbox.service import record
from stockroom.outbox.types import EventType
from stockroom.second_factor import codes, repository
from stockroom.second_factor.errors import (
    BadCode,
    CodeNotConfirmed,
    NoSecondFactor,
    SecondFactorEnabled,
    SecondFactorRequired,
)
from stockroom.second_factor.models import SecondFactor
from stockroom.users import repository as users


@dataclass(frozen=True, slots=True)
class Setup:
    """What the owner's authenticator needs; shown this once."""

    secret: str
    otpauth_uri: str
    qr_svg: str


@dataclass(frozen=True, slots=True)
class State:
    enabled_at: datetime | None
    recovery_codes_left: int

    @property
    def is_enabled(self) -> bool:
        return self.enabled_at is not None


def begin(user_id: UUID) -> Setup:
    """Make a secret, which is in force once a code confirms it; an earlier one is forgotten.

    :raises SecondFactorEnabled: if one is in force.
    """
    secret = codes.new_secret()
    with transaction() as session:
        # Under a lock: two that begin at once must not leave two secrets.
        user = users.get(session, user_id, lock=True)
        factor = repository.lock(session, user_id) or SecondFactor(user_id=user_id)
        if factor.enabled_at is not None:
            raise SecondFactorEnabled
        factor.secret, factor.last_step, factor.created_at = encrypt(secret), 0, now()
        session.add(factor)
    uri = codes.uri_of(secret, user.email)
    return Setup(secret, uri, codes.picture_of(uri))


def confirm(user_id: UUID, code: str) -> list[str]:
    """Put the secret in force; returns ten recovery codes, which are shown this once.

    :raises NoSecondFactor: if none waits to be confirmed.
    :raises SecondFactorEnabled: if it is in force already.
    :raises CodeNotConfirmed: if the code is not one of this moment.
    """
    with transaction() as session:
        factor = _lock(session, user_id)
        if factor is None:
            raise NoSecondFactor
        if factor.enabled_at is not None:
            raise SecondFactorEnabled
        if not _accept(factor, code):
            raise CodeNotConfirmed
        factor.enabled_at = now()
        recovery_codes = _new_recovery_codes(session, user_id)
        record(session, EventType.USER_SECOND_FACTOR_ENABLED, user_id, {})
        _tell(session, user_id, "second_factor/enabled")
    return recovery_codes


def state(user_id: UUID) -> State:
    with reading() as session:
        factor = repository.find(session, user_id)
        left = repository.recovery_codes_left(session, user_id)
    return State(factor.enabled_at if factor else None, left)


def replace_recovery_codes(user_id: UUID) -> list[str]:
    """Ten new codes; those before are void.

    :raises NoSecondFactor: if none is in force.
    """
    with transaction() as session:
        _locked(session, user_id)
        recovery_codes = _new_recovery_codes(session, user_id)
        record(session, EventType.USER_RECOVERY_CODES_REPLACED, user_id, {})
    return recovery_codes


def disable(user_id: UUID) -> None:
    """Switch the second factor off, and forget its secret and its codes.

    :raises NoSecondFactor: if none is in force.
    """
    with transaction() as session:
        disable_within(session, user_id)


def disable_within(session: Session, user_id: UUID) -> None:
    """The same within a transaction."""
    _locked(session, user_id)
    repository.remove(session, user_id)
    record(session, EventType.USER_SECOND_FACTOR_DISABLED, user_id, {})
    _tell(session, user_id, "second_factor/disabled")


def remove_within(session: Session, user_id: UUID) -> None:
    """Forget, within a transaction, what there is of one: in force, or only begun."""
    factor = repository.lock(session, user_id)
    if factor is not None and factor.enabled_at is not None:
        disable_within(session, user_id)
    else:
        repository.remove(session, user_id)


def require(session: Session, user_id: UUID, code: str | None) -> None:
    """Let a login go on, within its transaction, if its code is right, or the account needs none.

    A code is used up with the transaction: if the login fails for another reason, it is still good.

    :raises SecondFactorRequired: if a code is needed and none was given.
    :raises BadCode: if it is not right, or was used before.
    """
    factor = repository.lock(session, user_id)
    if factor is None or factor.enabled_at is None:
        return
    if not code:
        raise SecondFactorRequired
    if _accept(factor, code):
        return
    if not repository.use_recovery_code(session, user_id, codes.digest_of(user_id, code)):
        raise BadCode
    left = repository.recovery_codes_left(session, user_id)
    by = actor.get() or Actor(user_id)
    record(session, EventType.USER_RECOVERY_CODE_USED, user_id, {"left": left}, by=by)
    _tell(session, user_id, "second_factor/recovery_code_used", left=str(left))


def reencrypt() -> int:
    """Encrypt every secret with the first of the keys; returns how many there are.

    :raises Undecipherable: if there is a secret that no key fits.
    """
    with transaction() as session:
        factors = repository.lock_all(session)
        for factor in factors:
            factor.secret = renewed(factor.secret)
    return len(factors)


def _accept(factor: SecondFactor, code: str) -> bool:
    """Whether it is a code of this moment; if so, neither it nor one before is good again."""
    digits = code.replace(" ", "")
    # Only ASCII can be compared in constant time.
    if not (digits.isascii() and digits.isdigit()):
        return False
    step = codes.accepted_step(decrypt(factor.secret), digits, now(), factor.last_step)
    if step is None:
        return False
    factor.last_step = step
    return True


def _new_recovery_codes(session: Session, user_id: UUID) -> list[str]:
    made = codes.new_recovery_codes()
    digests = [codes.digest_of(user_id, code) for code in made]
    repository.replace_recovery_codes(session, user_id, digests)
    return made


def _lock(session: Session, user_id: UUID) -> SecondFactor | None:
    # The account first, as everywhere: recovery codes refer to it, and a removal has it.
    users.get(session, user_id, lock=True)
    return repository.lock(session, user_id)


def _locked(session: Session, user_id: UUID) -> SecondFactor:
    factor = _lock(session, user_id)
    if factor is None or factor.enabled_at is None:
        raise NoSecondFactor
    return factor


def _tell(session: Session, user_id: UUID, template: str, **params: str) -> None:
    to = users.get(session, user_id).email
    params |= {"address": client_address.get() or "unknown"}
    send(session, to, template, params, user_id=user_id)
