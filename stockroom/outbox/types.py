"""What can happen: the types of events, and the patterns that choose among them.

A type is ``<what>.<what happened to it>``: a noun in the singular and a past participle, in lower
case, each of one or more words joined by underscores. One act gives one event for each thing that
it changes. A type keeps its
meaning for good; a change that a reader would have to know of is a new type.
"""

import re
from collections.abc import Sequence
from enum import StrEnum

LONGEST_TYPE = 64
_WORDS = "[a-z]+(_[a-z]+)*"
GRAMMAR = rf"{_WORDS}\.{_WORDS}"
PATTERN = rf"\*|{_WORDS}\.(\*|{_WORDS})"


class EventType(StrEnum):
    PRODUCT_CREATED = "product.created"
    PRODUCT_UPDATED = "product.updated"
    PRODUCT_ARCHIVED = "product.archived"
    STOCK_CHANGED = "stock.changed"
    STOCK_RAN_LOW = "stock.ran_low"
    RESERVATION_CREATED = "reservation.created"
    RESERVATION_EXTENDED = "reservation.extended"
    RESERVATION_COMMITTED = "reservation.committed"
    RESERVATION_RELEASED = "reservation.released"
    RESERVATION_EXPIRED = "reservation.expired"
    LOCATION_CREATED = "location.created"
    USER_REGISTERED = "user.registered"
    USER_CREATED = "user.created"
    USER_UPDATED = "user.updated"
    USER_REMOVED = "user.removed"
    USER_EXPORTED = "user.exported"
    USER_LOGGED_IN = "user.logged_in"
    USER_LOGIN_FAILED = "user.login_failed"
    USER_LOGIN_BLOCKED = "user.login_blocked"
    USER_LOGIN_UNBLOCKED = "user.login_unblocked"
    USER_REAUTHENTICATED = "user.reauthenticated"
    USER_SESSIONS_ENDED = "user.sessions_ended"
    USER_REFRESH_TOKEN_REUSED = "user.refresh_token_reused"  # noqa: S105 - no token
    USER_PASSWORD_CHANGED = "user.password_changed"  # noqa: S105 - no password
    USER_PASSWORD_FORGOTTEN = "user.password_forgotten"  # noqa: S105 - no password
    USER_PASSWORD_RESET = "user.password_reset"  # noqa: S105 - no password
    USER_VERIFICATION_REQUESTED = "user.verification_requested"
    USER_EMAIL_VERIFIED = "user.email_verified"
    USER_EMAIL_CHANGE_REQUESTED = "user.email_change_requested"
    USER_EMAIL_CHANGED = "user.email_changed"
    USER_REGISTRATION_REFUSED = "user.registration_refused"
    USER_SECOND_FACTOR_ENABLED = "user.second_factor_enabled"
    USER_SECOND_FACTOR_DISABLED = "user.second_factor_disabled"
    USER_RECOVERY_CODE_USED = "user.recovery_code_used"
    USER_RECOVERY_CODES_REPLACED = "user.recovery_codes_replaced"
    API_KEY_CREATED = "api_key.created"
    API_KEY_REVOKED = "api_key.revoked"
    SIGNING_KEY_ROTATED = "signing_key.rotated"
    WEBHOOK_CREATED = "webhook.created"
    WEBHOOK_UPDATED = "webhook.updated"
    WEBHOOK_SECRET_ROTATED = "webhook.secret_rotated"  # noqa: S105 - no secret
    WEBHOOK_TESTED = "webhook.tested"
    WEBHOOK_DISABLED = "webhook.disabled"
    WEBHOOK_REMOVED = "webhook.removed"


def is_pattern(text: str) -> bool:
    """Whether it is a type, such as ``product.created``, ``product.*`` or ``*``.

    A type that this version does not know is one: a newer version may record it.
    """
    return bool(re.fullmatch(PATTERN, text))


def matches(event_type: str, patterns: Sequence[str]) -> bool:
    """Whether one of the patterns chooses the type."""
    what, _, _ = event_type.partition(".")
    return not {"*", event_type, f"{what}.*"}.isdisjoint(patterns)
