"""Hot reads that many ask the loop for at once: PostgreSQL hears one of them."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from stockroom.core import cache
from stockroom.core.hot_reads.asking import Asker
from stockroom.core.hot_reads.reads import HotRead
from stockroom.core.hot_reads.representation import Representation
from stockroom.core.memory import Answer
from stockroom.core.sql.question import Question

Then = Callable[[Answer | None], None]
"""What to do once there is an answer; None where a thread has to find it after all."""


@dataclass(frozen=True, slots=True)
class _UnderWay:
    """A read that was begun, for all who want to know."""

    reading: cache.Reading
    thens: list[Then]


class AskingOnce:
    """What is being asked, by address. Of the thread of the loop alone."""

    def __init__(self, asker: Asker) -> None:
        self._asker = asker
        self._under_way: dict[str, _UnderWay] = {}

    def ask(
        self, address: str, read: HotRead, question: Question[Representation], then: Then
    ) -> None:
        """Have the loop call ``then`` when there is an answer, which is kept for others as well.

        Of many who ask for one address meanwhile, PostgreSQL hears one, unless there was a write
        or the answer would be too old.
        """
        under_way, begun = self._under_way.get(address), cache.reading(address)
        if under_way and begun.may_share(under_way.reading):
            under_way.thens.append(then)
            return
        started = _UnderWay(begun, [then])
        self._asker.ask(question.then(read.answer_of), partial(self._end, address, started))
        # Not before: if it cannot be asked, the next ones would wait for an answer for ever.
        self._under_way[address] = started

    def _end(self, address: str, ended: _UnderWay, answer: Answer | None) -> None:
        if self._under_way.get(address) is ended:
            del self._under_way[address]
        if answer:
            ended.reading.keep(answer)
        for then in ended.thens:
            then(answer)
