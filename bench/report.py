"""The table, as Markdown that can be read as it is printed."""

import os
import platform
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from bench.cases import WSGI
from bench.rounds import Row


@dataclass(frozen=True, slots=True)
class Check:
    """A figure, and the most that it may be; or the least, if more is better."""

    title: str
    figure: float
    bound: float
    more_is_better: bool = False

    @property
    def holds(self) -> bool:
        figure, bound = self.figure, self.bound
        return figure >= bound if self.more_is_better else figure <= bound

    @property
    def cells(self) -> tuple[str, ...]:
        sign = "≥" if self.more_is_better else "≤"
        found, bound = f"{self.figure:,.2f}", f"{sign} {self.bound:,.2f}"
        return self.title, found, bound, verdict(self.holds)


HEAD = (
    *("case", "requests/s", "±", "p50 ms", "p99 ms", "CPU ms"),
    *("/ bare WSGI", "/ ceiling", "of", "bound", ""),
)


def machine() -> str:
    """What the figures come from."""
    cores = len(os.sched_getaffinity(0))
    python = f"{platform.python_implementation()} {platform.python_version()}"
    return f"{cores} cores of {_processor()}, {_memory()}, {platform.system()}, {python}"


def table(rows: Sequence[Row]) -> str:
    """With the failures, if there are any, below it."""
    failures = [failure for row in rows for failure in row.failures]
    lines = [tuple(_cells(row)) for row in rows if not row.failures]
    return "\n".join([aligned([HEAD, *lines]), *(f"FAILED: {failure}" for failure in failures)])


def checks(found: Iterable[Check]) -> str:
    """A table of figures with their bounds."""
    return aligned([("", "found", "bound", ""), *(check.cells for check in found)])


def aligned(lines: Sequence[Sequence[str]]) -> str:
    """A table of Markdown; all columns but the first are aligned to the right."""
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    rule = ["-" * widths[0], *("-" * (width - 1) + ":" for width in widths[1:])]
    return "\n".join(_line(cells, widths) for cells in [lines[0], rule, *lines[1:]])


def spread(rates: Sequence[float]) -> float:
    """Half of what lies between the extremes, as a part of the median."""
    return (max(rates) - min(rates)) / 2 / median(rates)


def verdict(holds: bool) -> str:
    return "holds" if holds else "MISSED"


def _cells(row: Row) -> Iterator[str]:
    case, ceiling = row.case, row.case.ceilings[-1]
    yield case.title
    yield f"{row.middle('rate'):,.0f}"
    yield f"{spread(row.rates()):.0%}"
    yield from (f"{row.middle(figure):.2f}" for figure in ("p50_ms", "p99_ms", "cpu_ms"))
    yield f"{row.part_of(WSGI):.2f}" if WSGI in case.ceilings else ""
    yield f"{row.part_of(ceiling):.2f}"
    yield f"{ceiling}, {median(row.rates(ceiling)):,.0f}/s ± {spread(row.rates(ceiling)):.0%}"
    yield f"{case.bound:.2f}"
    yield verdict(row.holds)


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    first, *others = (cell.rjust(width) for cell, width in zip(cells, widths, strict=True))
    return f"| {' | '.join([first.strip().ljust(widths[0]), *others])} |"


def _processor() -> str:
    file = Path("/proc/cpuinfo")
    lines = file.read_text().splitlines() if file.exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()


def _memory() -> str:
    return f"{os.sysconf('SC_PAGE_SIZE') * os.sysconf('SC_PHYS_PAGES') / 2**30:.0f} GB"
