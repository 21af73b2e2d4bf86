"""The sink that tells people of logins to their accounts that were blocked.

By mail, after the commit: the request does the same for an address that nobody has.
"""

from sqlalchemy.orm import Session

from stockroom.mail.service import send
from stockroom.outbox import repository as events
from stockroom.outbox.filters import EventFilters
from stockroom.outbox.sinks import Sink
from stockroom.outbox.types import EventType
from stockroom.users import repository as users

_BLOCKED = EventFilters(types=[EventType.USER_LOGIN_BLOCKED])


def take(session: Session, after: int, through: int) -> None:
    for event in events.read(session, after, through, through - after, _BLOCKED):
        user = users.find(session, event.subject)
        if user and user.is_active:
            params = {"address": event.address or "unknown"}
            send(session, user.email, "auth/login_blocked", params, user_id=user.id)


SINK = Sink("login_mails", take)
