from stockroom.core.errors import Gone


class EventsExpired(Gone):
    """Nobody can go on from the position that you name. Events after it have been removed, because
    they are older than this server keeps them; or it is ahead of all events, because the database
    was restored from a backup that is older than what you have seen. Read anew what you follow, and
    go on from `last_position`, which this problem names.
    """

    slug = "events-expired"
    title = "Nobody can go on from this position"
