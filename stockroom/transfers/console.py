"""What the commands that import files share."""

import json
import shutil
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from enum import StrEnum
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, Any

import click
from click import Choice, argument, option

from stockroom.transfers.files import written_whole
from stockroom.transfers.formats import Format, Row, format_of
from stockroom.transfers.imports import REJECTED, OnProgress, Summary, Taker, import_file
from stockroom.transfers.rejects import RejectsFile

SHOWN_REJECTIONS = 10

format_option = option(
    "--format",
    "kind",
    type=Choice([kind.value for kind in Format]),
    help="By the file's name if left out.",
)

_OPTIONS = (
    argument("file", type=click.Path(exists=True, dir_okay=False, allow_dash=True, path_type=Path)),
    format_option,
    option(
        "--rejects", type=click.Path(dir_okay=False, path_type=Path), help="Keep rejected rows."
    ),
    option("--dry-run", is_flag=True, help="Tell what would happen; write nothing."),
    option("--json", "as_json", is_flag=True, help="Print the counts as JSON."),
)


def import_command(command: Callable[..., None]) -> Callable[..., None]:
    """What a command takes that imports a file."""
    for decorate in reversed(_OPTIONS):
        command = decorate(command)
    return command


def run_import(
    file: Path,
    taker: Taker[Any],
    results: type[StrEnum],
    *,
    kind: str | None,
    rejects: Path | None,
    dry_run: bool,
    as_json: bool,
) -> None:
    """Have the taker take the file, and say what became of its rows.

    :param results: what can become of a row, in the order in which it is told.
    """
    if rejects and _is_same_file(file, rejects):
        raise click.ClickException(f"{rejects}: The rejected rows would replace the file itself.")
    source_kind = Format(kind) if kind else format_of(file.name)
    with ExitStack() as stack:
        source = stack.enter_context(_seekable(file))
        reporter = _Reporter()
        if rejects:
            target = stack.enter_context(written_whole(rejects))
            reporter.keep = RejectsFile(target, source_kind, taker.layout).add
        summary = import_file(
            source,
            source_kind,
            taker,
            on_reject=reporter.reject,
            on_progress=stack.enter_context(_progress(source)),
        )
    _report(summary, reporter, results, dry_run=dry_run, as_json=as_json)


class _Reporter:
    """Keeps the first rejections to be shown, and all of them where a file is given."""

    def __init__(self) -> None:
        self.shown: list[str] = []
        self.keep: Callable[[Row, str], None] | None = None

    def reject(self, row: Row, reason: str) -> None:
        if self.keep:
            self.keep(row, reason)
        elif len(self.shown) < SHOWN_REJECTIONS:
            self.shown.append(f"line {row.line}: {reason}")


def _report(
    summary: Summary,
    reporter: _Reporter,
    results: type[StrEnum],
    *,
    dry_run: bool,
    as_json: bool,
) -> None:
    if summary.unknown_columns:
        click.echo(f"Ignored columns: {', '.join(sorted(summary.unknown_columns))}", err=True)
    for line in reporter.shown:
        click.echo(line, err=True)
    rejected = summary.counts[REJECTED]
    if (hidden := rejected - len(reporter.shown)) > 0 and not reporter.keep:
        click.echo(f"… and {hidden} more; --rejects FILE keeps them all", err=True)
    counts = {result.value: summary.counts[result] for result in results}
    if as_json:
        click.echo(json.dumps({**counts, "dry_run": dry_run}))
        return
    words = ", ".join(f"{count:,} {name}" for name, count in counts.items())
    click.echo(f"{words} (dry run: nothing was written)" if dry_run else words)


def _is_same_file(source: Path, rejects: Path) -> bool:
    # Only a regular file is replaced: a terminal may well be both.
    return str(source) != "-" and rejects.is_file() and rejects.samefile(source)


@contextmanager
def _seekable(path: Path) -> Iterator[IO[bytes]]:
    """The file; what comes through a pipe is first put into a temporary one."""
    if str(path) != "-":
        with path.open("rb") as file:
            yield file
        return
    with TemporaryFile() as file:
        shutil.copyfileobj(sys.stdin.buffer, file)
        yield file


@contextmanager
def _progress(file: IO[bytes]) -> Iterator[OnProgress]:
    """A bar over the bytes of the file, on a terminal."""
    size = file.seek(0, 2)
    file.seek(0)
    is_shown = sys.stderr.isatty()
    with click.progressbar(
        length=size, label="Importing", file=sys.stderr, hidden=not is_shown
    ) as bar:
        yield lambda position: bar.update(position - bar.pos)
