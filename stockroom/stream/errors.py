from stockroom.auth.errors import SessionEnded
from stockroom.core.errors import Unavailable


class TooManyStreams(Unavailable):
    """This server lets no more clients follow events at once. Try again after as many seconds as
    ``Retry-After`` says, and somewhat longer each time; ``GET /events?after=`` works meanwhile.
    """

    slug = "too-many-streams"
    title = "Too many clients follow events here"


class SessionEndedMeanwhile(SessionEnded):
    """The session was removed, with its account, while a ticket for it was being made."""

    constraint = "fk_stream_tickets_session_id_sessions"
