"""A loop that turns when a test wants it to, and what it asks."""

from collections.abc import Callable
from concurrent.futures import Future
from functools import partial
from selectors import DefaultSelector
from typing import Any

from sqlalchemy import String, bindparam, func, select

from stockroom.core.hot_reads.asking import Asker
from stockroom.core.hot_reads.asking_once import AskingOnce
from stockroom.core.hot_reads.reads import HotRead
from stockroom.core.hot_reads.representation import Representation
from stockroom.core.memory import Answer
from stockroom.core.sql.prepared import Prepared
from stockroom.core.sql.question import Question
from stockroom.core.sql.statements import Row
from tests.threads import until

ADDRESS = "/things\0"
ECHO = Prepared(select(bindparam("word", type_=String)))
NAP = Prepared(select(bindparam("word", type_=String), func.pg_sleep(0.2)))
SUICIDE = Prepared(select(func.pg_terminate_backend(func.pg_backend_pid())))

Asked = list[Answer | None]


class Loop:
    """Calls what has news, when a test wants it to turn."""

    def __init__(self) -> None:
        self.poller = DefaultSelector()

    def in_thread(self, work: Callable[[], Any], then: Callable[["Future[Any]"], None]) -> None:
        done: Future[Any] = Future()
        try:
            done.set_result(work())
        except Exception as error:  # noqa: BLE001 - as an executor does
            done.set_exception(error)
        then(done)

    def turn(self, asker: Asker) -> None:
        for key, _ in self.poller.select(0.05):
            key.data(key.fileobj)
        asker.send()
        asker.look_after()


def shown(rows: list[Row]) -> Representation:
    return Representation(str(rows[0][0]).encode(), "1")


def ask(once: AskingOnce, query: Prepared = ECHO, address: str = ADDRESS, **how: Any) -> Asked:
    """What becomes of a question, as soon as it is known."""
    told: Asked = []
    question = Question(
        lambda: query, how.get("values", {"word": "hello"}), how.get("shown", shown)
    )
    read = HotRead("things", "/things", {}, lambda **_: question)
    once.ask(address, read, question, told.append)
    return told


def answers(asker: Asker, loop: Loop, *asked: Asked) -> Asked:
    """What has become of all questions, after as many turns as that takes."""

    def are_known() -> bool:
        loop.turn(asker)
        return all(asked)

    until(are_known)
    return [answer for told in asked for answer in told]


def told(asker: Asker, loop: Loop, *questions: Question[Any]) -> list[Any]:
    """What becomes of questions that come up in one turn of the loop."""
    come: dict[int, Any] = {}
    for number, question in enumerate(questions):
        asker.ask(question, partial(come.__setitem__, number))

    def are_known() -> bool:
        loop.turn(asker)
        return len(come) == len(questions)

    until(are_known)
    return [come[number] for number in range(len(questions))]


def body(answer: Answer | None) -> bytes | None:
    return answer.body if answer else None
