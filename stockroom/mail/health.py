"""Where mails go, and whether they get there."""

from urllib.parse import urlsplit

from sqlalchemy.exc import ProgrammingError

from stockroom.core.context import settings
from stockroom.core.database import now
from stockroom.core.errors import Unavailable
from stockroom.core.health import Unready
from stockroom.core.transaction import reading
from stockroom.mail import repository


def check_mail() -> str:
    """Never unready for mails that wait: they leave when the server is back."""
    try:
        with reading() as session:
            count, oldest = repository.waiting(session)
    except Unavailable:
        raise Unready("cannot be read: the database does not answer") from None
    except ProgrammingError:
        raise Unready("cannot be read: run `flask db upgrade`") from None
    url = settings().mail_url
    where = f"by {urlsplit(url).hostname}" if url else "into files: MAIL_URL is not set"
    if oldest is None:
        return f"{where}; none waits"
    minutes = (now() - oldest).total_seconds() / 60
    return f"{where}; {count} wait, the oldest for {minutes:.0f} minutes"
