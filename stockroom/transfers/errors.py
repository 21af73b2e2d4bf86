from stockroom.core.errors import InvalidInput


class UnreadableFile(InvalidInput):
    """The file cannot be imported as a whole: it is not UTF-8, empty, without its header line,
    lacks a column that every row needs, or has a quote that is never closed. Nothing was written.
    """

    slug = "unreadable-file"
    title = "The file cannot be imported"

    def __init__(self, reason: str) -> None:
        super().__init__({"file": [reason]}, reason)
