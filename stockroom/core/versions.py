"""Optimistic concurrency: a change names the version that it was made from."""

from dataclasses import dataclass

from stockroom.core.errors import PreconditionFailed


@dataclass(frozen=True, slots=True)
class ExpectedVersion:
    """The versions that a change may be applied to; None means any.

    Commands pass ``ANY_VERSION``: whoever types one means the row as it is now.
    """

    versions: frozenset[str] | None

    def check(self, stored: int) -> None:
        """:raises PreconditionFailed: if the stored version is another one."""
        if self.versions is not None and str(stored) not in self.versions:
            raise PreconditionFailed


ANY_VERSION = ExpectedVersion(None)
