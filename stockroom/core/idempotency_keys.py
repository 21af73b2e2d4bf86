"""Idempotency keys, each with the answer that it got: the table, and every query on it."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Index, String, Text, bindparam, delete, select, tuple_, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Mapped, Session, mapped_column

from stockroom.core.background.jobs import Job
from stockroom.core.database import Base, now, table_of
from stockroom.core.encryption import renewed
from stockroom.core.personal_data import Person, PersonalData
from stockroom.core.sql import batch
from stockroom.core.transaction import transaction

LONGEST_KEY = 255
KEPT_FOR = timedelta(hours=24)
ROWS_AT_ONCE = 1000


class IdempotencyKey(Base):
    """A key that a caller has sent with a request, committed together with what it changed.

    ``fingerprint`` tells whether a second request is the same one. ``answer`` is encrypted: it may
    hold a secret that is shown once.
    """

    __tablename__ = "idempotency_keys"
    __table_args__ = (Index("ix_idempotency_keys_created_at", "created_at"),)

    user_id: Mapped[UUID] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(String(LONGEST_KEY), primary_key=True)
    fingerprint: Mapped[str] = mapped_column(String(64))
    answer: Mapped[str | None] = mapped_column(Text)
    created_at: Mapped[datetime]


_ANSWER = update(table_of(IdempotencyKey)).where(
    IdempotencyKey.user_id == bindparam("of_user"), IdempotencyKey.key == bindparam("of_key")
)


def claim(session: Session, user_id: UUID, key: str, fingerprint: str) -> bool:
    """Take the key for this request; waits for another that is under way with it.

    Returns whether it was free, as it is again a day after it was used.
    """
    moment = now()
    free = {"fingerprint": fingerprint, "answer": None, "created_at": moment}
    statement = (
        insert(IdempotencyKey)
        .values(user_id=user_id, key=key, **free)
        .on_conflict_do_update(
            index_elements=["user_id", "key"],
            set_=free,
            where=IdempotencyKey.created_at < moment - KEPT_FOR,
        )
        .returning(IdempotencyKey.key)
    )
    return session.scalar(statement) is not None


def find(session: Session, user_id: UUID, key: str) -> IdempotencyKey | None:
    return session.get(IdempotencyKey, (user_id, key))


def keep_answer(session: Session, user_id: UUID, key: str, answer: str) -> None:
    batch.leave(session, _ANSWER, {"of_user": user_id, "of_key": key, "answer": answer})


def remove_expired() -> None:
    """Forget keys that were used more than a day ago."""
    while _remove_some(now() - KEPT_FOR) == ROWS_AT_ONCE:
        pass


def reencrypt() -> int:
    """Encrypt every answer with the first of the keys; returns how many there are."""
    with transaction() as session:
        rows = session.scalars(
            select(IdempotencyKey).where(IdempotencyKey.answer.is_not(None)).with_for_update()
        ).all()
        for row in rows:
            row.answer = renewed(row.answer or "")
    return len(rows)


def _remove_some(before: datetime) -> int:
    keys = (IdempotencyKey.user_id, IdempotencyKey.key)
    old = (
        select(*keys)
        .where(IdempotencyKey.created_at < before)
        .limit(ROWS_AT_ONCE)
        .with_for_update(skip_locked=True)
    )
    with transaction() as session:
        removed = session.execute(delete(IdempotencyKey).where(tuple_(*keys).in_(old)))
        return removed.rowcount  # type: ignore[attr-defined,no-any-return]


def _export(session: Session, person: Person) -> Sequence[dict[str, Any]]:
    statement = select(IdempotencyKey).where(IdempotencyKey.user_id == person.user_id)
    return [
        {"key": row.key, "created_at": row.created_at.isoformat()}
        for row in session.scalars(statement.order_by(IdempotencyKey.created_at))
    ]


def _erase(session: Session, person: Person) -> None:
    session.execute(delete(IdempotencyKey).where(IdempotencyKey.user_id == person.user_id))


JOBS = (Job("idempotency_keys.remove_expired", remove_expired, every_seconds=3600),)
PERSONAL_DATA = PersonalData("idempotency_keys", _export, _erase)
