"""What the database refuses, as the domain errors that stand for it."""

from collections.abc import Iterator
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
from sqlalchemy.orm.exc import StaleDataError

from stockroom.core.errors import Busy, PreconditionFailed, Unavailable, error_for_constraint


@contextmanager
def translated() -> Iterator[None]:
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
        if getattr(error.orig, "pgcode", None) == errorcodes.QUERY_CANCELED:
            raise Unavailable("The database took too long.") from error
        if _connection_lost(error):
            raise Unavailable("The database does not answer.") from error
        if _in_the_way(error):
            raise Busy from error
        raise
    except (psycopg2.OperationalError, psycopg2.InterfaceError) as error:
        # Giving the connection back resets it, outside of what SQLAlchemy wraps.
        raise Unavailable("The database does not answer.") from error


def _named(error: IntegrityError) -> Exception:
    diagnosis = error.orig.diag  # type: ignore[union-attr]  # it is psycopg2's
    name = diagnosis.constraint_name or f"{diagnosis.table_name}.{diagnosis.column_name}"
    domain_error = error_for_constraint(name)
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
