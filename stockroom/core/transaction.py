"""Units of work: the only place that commits, and the only one that rolls back."""

import random
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import wraps
from typing import ParamSpec, TypeVar

from sqlalchemy.orm import Session

from stockroom.core.errors import Busy, DomainError
from stockroom.core.sql import batch
from stockroom.core.sql.connections import autocommitting
from stockroom.core.sql.refusals import translated
from stockroom.extensions import db

TRIES = 4
LONGEST_PAUSE_SECONDS = 0.05

_BEFORE_COMMIT = "before_commit"
_AFTER_COMMIT = "after_commit"

_SNAPSHOT = "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY"

_current: ContextVar[Session | None] = ContextVar("transaction", default=None)

P = ParamSpec("P")
T = TypeVar("T")


@contextmanager
def transaction(*, dry_run: bool = False, lock_seconds: float | None = None) -> Iterator[Session]:
    """One business act: committed as a whole, or not at all.

    What the database refuses is raised as the domain error that stands for the constraint.
    Objects stay readable after the commit. Within another transaction it is a part of that one,
    which alone commits.

    :param dry_run: do everything, let the database judge, and keep nothing.
    :param lock_seconds: how long a statement may wait for a lock; None for as long as it takes.
    :raises DomainError: for a violated constraint that an error names.
    :raises Busy: for a deadlock, or a lock that was not to be had in time.
    :raises Unavailable: if the database does not answer.
    """
    if (outer := _current.get()) is not None:
        with translated():
            yield outer
            _finish(outer, is_all=False)
        return
    with Session(db.engine, expire_on_commit=False) as session:
        token = _current.set(session)
        try:
            with translated():
                if lock_seconds is not None:
                    wait = f"SET LOCAL lock_timeout = {lock_seconds * 1000:.0f}"
                    session.connection().exec_driver_sql(wait)
                yield session
                _finish(session, is_all=not dry_run)
                if dry_run:
                    return
                # Where all went in one message (``batch``), nothing was begun.
                if session.in_transaction():
                    session.commit()
        finally:
            _current.reset(token)
        for callback in session.info.get(_AFTER_COMMIT, ()):
            callback()


@contextmanager
def reading() -> Iterator[Session]:
    """A session for queries. Each statement sees what is committed when it begins.

    Within a transaction it is the session of that one, and sees what it has changed so far.

    :raises Unavailable: if the database does not answer.
    """
    if (outer := _current.get()) is not None:
        with translated():
            yield outer
        return
    # Without a transaction around it, a query is one round trip instead of three.
    with (
        translated(),
        db.engine.connect() as connection,
        autocommitting(connection.connection.driver_connection),
        Session(connection, expire_on_commit=False) as session,
    ):
        yield session


@contextmanager
def snapshot() -> Iterator[Session]:
    """A session in which all queries see one moment of the database; it cannot write.

    :raises Unavailable: if the database does not answer.
    """
    with translated(), Session(db.engine, expire_on_commit=False) as session:
        session.connection().exec_driver_sql(_SNAPSHOT)
        yield session


def retried(act: Callable[P, T]) -> Callable[P, T]:
    """Do it again, a few times, where a deadlock or a lock stood in the way, or after the remedy of
    an error that has one.

    Within a transaction nothing can be done again but all of it, by whoever began it.
    """

    @wraps(act)
    def wrapper(*args: P.args, **kwargs: P.kwargs) -> T:
        for _ in range(TRIES - 1 if _current.get() is None else 0):
            try:
                return act(*args, **kwargs)
            except Busy:
                # By chance, or those who met would meet again.
                time.sleep(random.uniform(0, LONGEST_PAUSE_SECONDS))  # noqa: S311 - no secret
            except DomainError as error:
                if error.remedy is None:
                    raise
                error.remedy()
        return act(*args, **kwargs)

    return wrapper


def before_commit(session: Session, callback: Callable[[], object]) -> None:
    """Call ``callback`` at the end of the present ``transaction`` block, before its commit."""
    session.info.setdefault(_BEFORE_COMMIT, []).append(callback)


def after_commit(session: Session, callback: Callable[[], object]) -> None:
    """Call ``callback`` once the session's transaction is committed, and only then."""
    session.info.setdefault(_AFTER_COMMIT, []).append(callback)


def _finish(session: Session, *, is_all: bool) -> None:
    session.flush()
    for callback in session.info.pop(_BEFORE_COMMIT, ()):
        callback()
    batch.send(session, is_all=is_all)
