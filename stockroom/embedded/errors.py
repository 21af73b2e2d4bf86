"""What can go wrong with the private servers, told in one clear line."""

from collections.abc import Iterator
from contextlib import contextmanager

TAIL_LINES = 15


class EmbeddedServerError(RuntimeError):
    """A private server cannot be found, started or stopped.

    `summary` is one line that says what is wrong; `str()` adds the tail of what the tool or the
    server wrote about it.
    """

    def __init__(self, summary: str, detail: str = "") -> None:
        tail = "\n".join(detail.strip().splitlines()[-TAIL_LINES:])
        super().__init__(f"{summary}\n{tail}" if tail else summary)
        self.summary = summary


@contextmanager
def reported(act: str) -> Iterator[None]:
    """Raise an OSError of the block (disk full, no permission) as "Cannot <act>: <reason>"."""
    try:
        yield
    except OSError as error:
        raise EmbeddedServerError(f"Cannot {act}: {error}") from error
