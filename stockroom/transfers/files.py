"""Writing files that are there as a whole or not at all."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO
from uuid import uuid4


@contextmanager
def written_whole(path: Path) -> Iterator[IO[bytes]]:
    """A file that appears under its name when it is complete; until then, the old one stays.

    A device or a pipe is written to as it is. click's own atomic file replaces both, and keeps
    what an error has broken off.
    """
    if path.exists() and not path.is_file():
        with path.open("wb") as file:
            yield file
        return
    target = path.resolve()
    draft = target.with_name(f".{uuid4().hex}.part")
    try:
        with _opened(draft, path) as file:
            yield file
        if target.exists():
            shutil.copymode(target, draft)
        draft.replace(target)
    finally:
        draft.unlink(missing_ok=True)


def _opened(draft: Path, wanted: Path) -> IO[bytes]:
    """:raises OSError: with the name that the caller knows, not that of the draft."""
    try:
        return draft.open("xb")
    except OSError as error:
        raise OSError(error.errno, error.strerror, str(wanted)) from None
