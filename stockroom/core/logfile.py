"""A log file that several processes write to, and that begins anew once a day."""

import fcntl
import os
import time
from contextlib import suppress
from logging.handlers import TimedRotatingFileHandler
from pathlib import Path

DAYS_KEPT = 7


class DailyFile(TimedRotatingFileHandler):
    """Sets the file aside at midnight UTC, and removes those older than a week.

    The standard library's handler takes itself for the only one: at midnight every process would
    set the file aside, and each would overwrite the day that the one before it had saved.
    """

    def __init__(self, path: Path) -> None:
        super().__init__(path, when="midnight", backupCount=DAYS_KEPT, utc=True, encoding="utf-8")

    def doRollover(self) -> None:  # noqa: N802 - the standard library's name
        # Opened anew: a process and its forked children share the lock of an inherited file.
        with Path(self.baseFilename).open("ab") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            is_in_place = self._is_in_place()
            self._let_go()
            if is_in_place:
                super().doRollover()
            else:
                self._follow()

    def _is_in_place(self) -> bool:
        """Whether the file that is written to still has its name."""
        if self.stream is None:
            return False
        return os.path.samestat(os.fstat(self.stream.fileno()), Path(self.baseFilename).stat())

    def _let_go(self) -> None:
        """Close the file. The end of what a full disk did not take is lost."""
        stream, self.stream = self.stream, None
        if stream is not None:
            with suppress(OSError):
                stream.close()

    def _follow(self) -> None:
        """Go on with the file that another process has begun."""
        self.stream = self._open()
        self.rolloverAt = self.computeRollover(int(time.time()))
