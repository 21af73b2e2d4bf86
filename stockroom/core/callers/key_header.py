"""API keys at the border: who finds the caller of one, and which ones have been let in.

A feature above tells with ``bind_key_finder`` how to find the caller of a key.
"""

from collections.abc import Callable
from uuid import UUID

from stockroom.core.callers.digests import digest_of
from stockroom.core.context import belongings
from stockroom.core.permissions import Caller
from stockroom.core.recent import Recent

API_KEY = "X-API-Key"
"""The header that holds a key."""

MOST_KNOWN = 10_000
_KEY = "stockroom.key_finder"

FindByKey = Callable[[str], Caller | None]
"""Who may act by a key; None if it is not good (any more)."""


class KeyFinder:
    """Finds callers, and knows those keys that it let in last, by their digests.

    Requests are counted before anybody looks at their credentials: a key that is known counts by
    itself, and one that somebody has made up by its address, or each would have a count of its own.
    """

    def __init__(self, find: FindByKey, most_known: int = MOST_KNOWN) -> None:
        self._find = find
        self._known = Recent[bytes, UUID](most_known)

    def find(self, key: str) -> Caller | None:
        caller, digest = self._find(key), digest_of(key)
        if caller is not None and caller.key_id is not None:
            self._known.keep(digest, caller.key_id)
        else:
            self._known.drop(digest)
        return caller

    def known_id(self, key: str) -> UUID | None:
        """The id of a key that was let in, and not refused since; None for any other text."""
        return self._known.get(digest_of(key))


def bind_key_finder(extensions: dict[str, object], find: FindByKey) -> None:
    extensions[_KEY] = KeyFinder(find)


def key_finder() -> KeyFinder:
    """The one of the application that is running this code."""
    finder = belongings()[_KEY]
    assert isinstance(finder, KeyFinder)  # noqa: S101 - tells the type checker
    return finder
