"""A question to the database, and what is made of the answer, whoever asks it and waits or not."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from stockroom.core.sql.prepared import Prepared
from stockroom.core.sql.statements import Row

T = TypeVar("T")
U = TypeVar("U")


@dataclass(frozen=True, slots=True)
class Question(Generic[T]):
    """What is asked for, and what it tells.

    :ivar query: gives what is asked.
    :ivar shown: what all rows say; raises DomainError if there is nothing that this reader may see.
    :ivar takes_time: whether the query has to be written out first, or ``shown`` asks once more.
    """

    query: Callable[[], Prepared]
    values: Mapping[str, Any]
    shown: Callable[[list[Row]], T]
    takes_time: bool = False

    def answer(self) -> T:
        """Ask, and wait.

        :raises DomainError: as ``shown`` does.
        :raises Unavailable: if the database does not answer.
        """
        return self.shown(self.query().all(**self.values))

    def then(self, more: Callable[[T], U]) -> "Question[U]":
        """The same, with more made of the answer."""
        return Question(
            self.query, self.values, lambda rows: more(self.shown(rows)), self.takes_time
        )
