"""What events can be narrowed by."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class EventFilters:
    """Which events to read; without a value, a filter lets everything pass.

    :ivar types: patterns, as in ``outbox.types``.
    :ivar since: inclusive; ``until`` is not.
    :ivar public_only: only those that every account may read.
    """

    types: Sequence[str] = ()
    subject: UUID | None = None
    actor: UUID | None = None
    since: datetime | None = None
    until: datetime | None = None
    public_only: bool = False
