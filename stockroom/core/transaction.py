"""Units of work: the only place that commits, and the only one that rolls back."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import psycopg2
from psycopg2 import errorcodes
from sqlalchemy.exc import (
    DBAPIError,
    IntegrityError,
    InterfaceError,
    OperationalError,
    SQLAlchemyError,
)
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.orm import Session
from sqlalchemy.orm.exc import StaleDataError

from stockroom.core.errors import PreconditionFailed, Unavailable, error_for_constraint
from stockroom.extensions import db

_BEFORE_COMMIT = "before_commit"
_AFTER_COMMIT = "after_commit"


@contextmanager
def transaction(*, dry_run: bool = False) -> Iterator[Session]:
    """One business act: committed as a whole, or not at all.

    What the database refuses is raised as the domain error that stands for the constraint.
    Objects stay readable after the commit.

    :param dry_run: do everything, let the database judge, and keep nothing.
    :raises DomainError: for a violated constraint that an error names.
    :raises Unavailable: if the database does not answer.
    """
    with Session(db.engine, expire_on_commit=False) as session:
        with _translated():
            yield session
            session.flush()
            for callback in session.info.get(_BEFORE_COMMIT, ()):
                callback()
            if dry_run:
                return
            session.commit()
        for callback in session.info.get(_AFTER_COMMIT, ()):
            callback()


@contextmanager
def reading() -> Iterator[Session]:
    """A session for queries. Each statement sees what is committed when it begins.

    :raises Unavailable: if the database does not answer.
    """
    # Without a transaction around it, a query is one round trip instead of three.
    engine = db.engine.execution_options(isolation_level="AUTOCOMMIT")
    with _translated(), Session(engine, expire_on_commit=False) as session:
        yield session


@contextmanager
def snapshot() -> Iterator[Session]:
    """A session in which all queries see one moment of the database; it cannot write.

    :raises Unavailable: if the database does not answer.
    """
    with _translated(), Session(db.engine, expire_on_commit=False) as session:
        session.connection(
            execution_options={"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
        )
        yield session


def before_commit(session: Session, callback: Callable[[], object]) -> None:
    """Call ``callback`` as the last thing within the session's transaction."""
    session.info.setdefault(_BEFORE_COMMIT, []).append(callback)


def after_commit(session: Session, callback: Callable[[], object]) -> None:
    """Call ``callback`` once the session's transaction is committed, and only then."""
    session.info.setdefault(_AFTER_COMMIT, []).append(callback)


@contextmanager
def _translated() -> Iterator[None]:
    """Raise the database's refusals as domain errors."""
    try:
        yield
    except StaleDataError:
        raise PreconditionFailed from None
    except IntegrityError as error:
        raise _named(error) from error
    except PoolTimeoutError as error:
        raise Unavailable("All database connections are busy.") from error
    except (OperationalError, InterfaceError) as error:
        if _connection_lost(error):
            raise Unavailable("The database does not answer.") from error
        if _in_the_way(error):
            raise Unavailable("Another change was in the way; try again.") from error
        raise
    except (psycopg2.OperationalError, psycopg2.InterfaceError) as error:
        # Giving the connection back resets it, outside of what SQLAlchemy wraps.
        raise Unavailable("The database does not answer.") from error


def _named(error: IntegrityError) -> Exception:
    diagnosis = getattr(error.orig, "diag", None)
    domain_error = error_for_constraint(getattr(diagnosis, "constraint_name", None))
    return domain_error() if domain_error else error


def _in_the_way(error: DBAPIError) -> bool:
    """Whether the same again may succeed: a deadlock, or a lock that was not to be had."""
    code = getattr(error.orig, "pgcode", None) or ""
    is_rolled_back = code.startswith(errorcodes.CLASS_TRANSACTION_ROLLBACK)
    return is_rolled_back or code == errorcodes.LOCK_NOT_AVAILABLE


def _connection_lost(error: SQLAlchemyError) -> bool:
    """Whether the server is away, starting or stopping, rather than the statement at fault."""
    if not isinstance(error, DBAPIError):
        return False
    code = getattr(error.orig, "pgcode", None)
    return (
        error.connection_invalidated
        or code is None
        or code[:2]
        in {errorcodes.CLASS_CONNECTION_EXCEPTION, errorcodes.CLASS_OPERATOR_INTERVENTION}
        or code == errorcodes.TOO_MANY_CONNECTIONS
    )
