"""Every query on second factors."""

from collections.abc import Iterable, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, delete, exists, func, select
from sqlalchemy.orm import Session

from stockroom.second_factor.models import RecoveryCode, SecondFactor


def find(session: Session, user_id: UUID) -> SecondFactor | None:
    return session.get(SecondFactor, user_id)


def is_enabled(user_id: Any) -> ColumnElement[bool]:
    """Whether an account, of which an expression gives the id, needs a code to log in."""
    return exists().where(SecondFactor.user_id == user_id, SecondFactor.enabled_at.is_not(None))


def lock(session: Session, user_id: UUID) -> SecondFactor | None:
    """The account's second factor; nobody else can use or change it until the transaction ends."""
    statement = select(SecondFactor).where(SecondFactor.user_id == user_id)
    return session.scalar(statement.with_for_update())


def lock_all(session: Session) -> Sequence[SecondFactor]:
    statement = select(SecondFactor).order_by(SecondFactor.user_id).with_for_update()
    return session.scalars(statement).all()


def remove(session: Session, user_id: UUID) -> None:
    session.execute(delete(RecoveryCode).where(RecoveryCode.user_id == user_id))
    session.execute(delete(SecondFactor).where(SecondFactor.user_id == user_id))


def replace_recovery_codes(session: Session, user_id: UUID, digests: Iterable[str]) -> None:
    session.execute(delete(RecoveryCode).where(RecoveryCode.user_id == user_id))
    session.add_all(RecoveryCode(user_id=user_id, digest=digest) for digest in digests)


def use_recovery_code(session: Session, user_id: UUID, digest: str) -> bool:
    """Use a code up; returns whether there was one. Of several who try at once, one has it."""
    statement = delete(RecoveryCode).where(
        RecoveryCode.user_id == user_id, RecoveryCode.digest == digest
    )
    return bool(session.execute(statement).rowcount)  # type: ignore[attr-defined]


def recovery_codes_left(session: Session, user_id: UUID) -> int:
    statement = select(func.count()).where(RecoveryCode.user_id == user_id)
    return session.scalars(statement).one()
