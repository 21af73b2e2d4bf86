"""The kinds of domain errors, of which every feature's own are subclasses.

A domain error says what a caller did that cannot be, in words for that caller. It knows no
HTTP; ``core.http.problems`` gives each kind its status. An error may name the database constraint
that it stands for, and ``core.transaction`` raises it where the database refuses.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar

_by_constraint: dict[str, type["DomainError"]] = {}
_by_slug: dict[str, type["DomainError"]] = {}


class DomainError(Exception):
    """What a caller asked for cannot be.

    The docstring of a subclass is its page at ``/problems/<slug>``.

    :ivar slug: the last part of the problem's ``type``.
    :ivar title: the same words for every occurrence (RFC 9457, 3.1.3).
    :ivar constraint: the database constraint whose violation means this error; of one that forbids
        NULL, which has no name, table and column.
    :ivar remedy: what may make the same act succeed, in a transaction of its own; None where
        nothing does. ``core.transaction.retried`` sees to it.
    :ivar retry_after: seconds after which the same request may succeed; None where it never will.
    """

    slug: ClassVar[str]
    title: ClassVar[str]
    constraint: ClassVar[str | None] = None
    retry_after: int | None = None
    remedy: Callable[[], object] | None = None

    def __init__(self, detail: str = "", **extensions: Any) -> None:
        self.detail = detail or self.title
        self.extensions = extensions
        super().__init__(self.detail)

    def __init_subclass__(cls) -> None:
        if "slug" in cls.__dict__:
            _by_slug[cls.slug] = cls
        if cls.__dict__.get("constraint"):
            _by_constraint[str(cls.constraint)] = cls


def error_for_constraint(name: str) -> type[DomainError] | None:
    """The error that stands for a constraint, if one does."""
    return _by_constraint.get(name)


def error_for_slug(slug: str) -> type[DomainError] | None:
    return _by_slug.get(slug)


class BadRequest(DomainError):
    """The body is not valid UTF-8 JSON, or the request breaks the protocol it follows."""

    slug = "bad-request"
    title = "The request cannot be read"


class NotFound(DomainError):
    """Nothing is stored under this address, or you may not know of it."""

    slug = "not-found"
    title = "Not found"


class Gone(DomainError):
    """What you ask for was here, and has been removed for good."""

    slug = "gone"
    title = "No longer here"


class Conflict(DomainError):
    """The request contradicts what is stored. Read the resource again and decide anew."""

    slug = "conflict"
    title = "Conflict with what is stored"


class Busy(Conflict):
    """Other changes to the same rows were under way, again and again. Nothing was changed: wait as
    many seconds as `Retry-After` says, and send the same once more.
    """

    slug = "busy"
    title = "Another change was in the way"
    retry_after = 1


class InvalidInput(DomainError):
    """A body, query or path breaks its schema. ``errors`` maps each field to its messages."""

    slug = "validation-error"
    title = "The request breaks its schema"

    def __init__(self, errors: dict[str, Any], detail: str = "") -> None:
        super().__init__(detail or "See errors for each field.", errors=errors)


class Unauthenticated(DomainError):
    """The request carries no credentials, or credentials that are not valid (any more)."""

    slug = "unauthenticated"
    title = "Credentials are missing or not valid"


class PermissionDenied(DomainError):
    """You are known, and your role, or the scopes of your API key, do not allow this."""

    slug = "permission-denied"
    title = "You may not do this"


class RecentLoginRequired(PermissionDenied):
    """What opens doors can be changed only soon after giving the password. Give it once more at
    `/api/v1/auth/reauthenticate`, and repeat the request. An API key cannot.
    """

    slug = "recent-login-required"
    title = "Give the password once more"


class CsrfFailed(PermissionDenied):
    """A request that changes something, and whose credentials are cookies, must repeat the value of
    the cookie `csrf_token` in the header `X-CSRF-Token`: it shows that one of your own pages sends
    it. The header is missing, or holds another value.
    """

    slug = "csrf-failed"
    title = "X-CSRF-Token is missing or wrong"


class PreconditionFailed(DomainError):
    """``If-Match`` names another version than the stored one: somebody changed the resource
    since you read it. Read it again, merge, and send the change with the new ``ETag``.
    """

    slug = "precondition-failed"
    title = "The resource has changed since you read it"


class PreconditionRequired(DomainError):
    """A change needs ``If-Match`` with the ``ETag`` that you read, so that no one else's change
    is overwritten unseen (RFC 6585, 3).
    """

    slug = "precondition-required"
    title = "If-Match is missing"


class UpgradeRequired(DomainError):
    """This address speaks WebSocket (RFC 6455, version 13), and the request does not ask for it.
    With a plain HTTP client, read or stream the events instead.
    """

    slug = "upgrade-required"
    title = "This address speaks WebSocket"


class TooManyRequests(DomainError):
    """Wait as many seconds as ``Retry-After`` says."""

    slug = "too-many-requests"
    title = "Too many requests"

    def __init__(self, retry_after: int, detail: str = "") -> None:
        self.retry_after = retry_after
        super().__init__(detail)


class Unavailable(DomainError):
    """Something the service needs does not answer. Nothing was changed; try again later."""

    slug = "unavailable"
    title = "Temporarily unavailable"


def in_one_line(errors: Mapping[str, Any]) -> str:
    """Messages by field for where there is one line: ``price: Not a price.; sku: Missing.``."""
    return "; ".join(f"{name}: {' '.join(_all(messages))}" for name, messages in errors.items())


def _all(messages: Any) -> Sequence[str]:
    """The messages of a field; those of a list's items stand below their numbers."""
    if isinstance(messages, Mapping):
        return [message for inner in messages.values() for message in _all(inner)]
    return list(messages)


KINDS = (
    BadRequest,
    NotFound,
    Gone,
    Conflict,
    InvalidInput,
    Unauthenticated,
    PermissionDenied,
    PreconditionFailed,
    PreconditionRequired,
    UpgradeRequired,
    Unavailable,
)
