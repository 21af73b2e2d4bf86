"""Rounds in which cases and their ceilings alternate, so that all have the same weather."""

import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from bench import bare, wrk
from bench.cases import ARGON2, FLASK, WSGI, Case
from bench.subjects import Measured, Server, Subject, argon2
from stockroom.config import Settings
from tests.contract import web

WARM_UP_SECONDS = 1
SAMPLES = 25
STOCKROOM = "Stockroom"


@dataclass(frozen=True, slots=True)
class Row:
    """A case, and what each round found, by who was measured; or why it was given up."""

    case: Case
    found: dict[str, list[Measured]] = field(default_factory=dict)
    failures: list[str] = field(default_factory=list)

    def rates(self, name: str = STOCKROOM) -> list[float]:
        return [measured.rate for measured in self.found[name]]

    def middle(self, figure: str) -> float:
        """The median of a figure of Stockroom's."""
        return median(getattr(measured, figure) for measured in self.found[STOCKROOM])

    def part_of(self, ceiling: str) -> float:
        """The ratio of the medians of both rates."""
        return median(self.rates()) / median(self.rates(ceiling))

    @property
    def holds(self) -> bool:
        return not self.failures and self.part_of(self.case.ceilings[-1]) >= self.case.bound


@contextmanager
def subjects(settings: Settings, cases: Iterable[Case]) -> Iterator[Mapping[str, Subject]]:
    """Stockroom and its ceilings, each served and ready, and idle until its turn."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory(dir=settings.instance_path)))
        served = stack.enter_context(web.serving(settings))
        found: dict[str, Subject] = {STOCKROOM: Server(served, folder, is_bare=False)}
        answers = _answers(served, cases)
        for name, factory in {WSGI: "make_wsgi", FLASK: "make_flask"}.items():
            own = replace(settings, instance_path=folder / factory, port=web.free_port())
            bare.prepare(own.instance_path, answers)
            serving = web.serving(own, f"bench.bare:{factory}()", "bench/bare_gunicorn.py")
            found[name] = Server(stack.enter_context(serving), folder, is_bare=True)
        found[ARGON2] = stack.enter_context(argon2(settings))
        yield found


def _answers(served: web.Web, cases: Iterable[Case]) -> dict[str, tuple[int, str]]:
    """What Stockroom answers to a request of each case: the answer of middling length."""
    found = {}
    for case in cases:
        answers = [served.send(case.sample(number)) for number in range(SAMPLES)]
        answers.sort(key=lambda answer: len(answer.body))
        middling = answers[SAMPLES // 2]
        found[case.name] = middling.status, middling.body.decode()
    return found


def measure(
    subjects: Mapping[str, Subject],
    cases: Sequence[Case],
    *,
    rounds: int,
    seconds: float,
    warm_up: float = WARM_UP_SECONDS,
) -> list[Row]:
    """Measure each case in each round, until an answer is not as expected.

    :param warm_up: seconds for each in a round before the first, which does not count.
    """
    rows = [Row(case) for case in cases]
    for turn in range(rounds + 1):
        print(f"round {turn} of {rounds}" if turn else "warming up", file=sys.stderr)
        for row in rows:
            if not row.failures:
                _measure(subjects, row, seconds if turn else warm_up, turn)
    return rows


def _measure(subjects: Mapping[str, Subject], row: Row, seconds: float, turn: int) -> None:
    names = [*row.case.ceilings, STOCKROOM]
    # Nobody is always the one who comes after the others.
    for name in names if turn % 2 else reversed(names):
        try:
            measured = subjects[name].measure(row.case, seconds, turn)
        except wrk.Failed as failure:
            row.failures.append(f"{row.case.title}: {name}: {failure}")
            return
        if turn:
            row.found.setdefault(name, []).append(measured)
