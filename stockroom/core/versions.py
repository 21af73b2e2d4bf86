"""Optimistic concurrency: a change names the version that it was made from."""

from dataclasses import dataclass

from stockroom.core.database import Entity
from stockroom.core.errors import PreconditionFailed


@dataclass(frozen=True, slots=True)
class ExpectedVersion:
    """The versions that a change may be applied to, by their tags; None means any.

    Commands pass ``ANY_VERSION``: whoever types one means the row as it is now.
    """

    tags: frozenset[str] | None

    def check(self, stored: Entity) -> None:
        """:raises PreconditionFailed: if the stored version is another one."""
        # What follows a full stop tells representations of one version apart.
        if self.tags is not None and stored.tag not in {tag.partition(".")[0] for tag in self.tags}:
            raise PreconditionFailed


ANY_VERSION = ExpectedVersion(None)
