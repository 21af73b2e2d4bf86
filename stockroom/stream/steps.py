"""What a follower is sent, whatever carries it."""

from dataclasses import dataclass
from enum import Enum

from stockroom.stream.ring import Line


@dataclass(frozen=True, slots=True)
class Heartbeat:
    """Nothing that the follower wants has happened up to this position."""

    position: int


class Goodbye(Enum):
    """Why the server ends a stream: a close code of WebSockets (RFC 6455, 7.4.1), and words."""

    SESSION_OVER = 1008, "the session has ended"
    KEY_OVER = 1008, "the API key is not good any more"
    FAILED = 1011, "something went wrong: come back"
    RESTART = 1012, "the server restarts: come back"
    TOO_SLOW = 1013, "too slow: resume with after={position}"

    def __init__(self, code: int, words: str) -> None:
        self.code = code
        self._words = words

    def reason(self, position: int) -> str:
        """In words, for a client that has got everything up to the position."""
        return self._words.format(position=position)


Step = Line | Heartbeat | Goodbye
