from stockroom.core.errors import Gone


class EventsExpired(Gone):
    """Events after the position that you name have been removed, because they are older than
    this server keeps them. Read anew what you follow, and go on from ``last_position``, which this
    problem names.
    """

    slug = "events-expired"
    title = "Events after this position are no longer kept"
