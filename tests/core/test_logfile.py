import logging
import time
from pathlib import Path

import pytest

from stockroom.core.logfile import DailyFile
from tests.disks import no_room


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "stockroom.log"


def write(file: DailyFile, text: str) -> None:
    file.emit(logging.makeLogRecord({"msg": text}))


def let_midnight_pass(*files: DailyFile) -> None:
    for file in files:
        file.rolloverAt = int(time.time()) - 1


def lines_of_earlier_days(path: Path) -> list[str]:
    return [line for old in path.parent.glob(f"{path.name}.*") for line in old.read_text().split()]


def test_at_midnight_the_file_is_set_aside_and_a_new_one_begun(path: Path) -> None:
    file = DailyFile(path)
    write(file, "yesterday")
    let_midnight_pass(file)
    write(file, "today")
    file.close()
    assert lines_of_earlier_days(path) == ["yesterday"]
    assert path.read_text().split() == ["today"]


def test_of_two_processes_only_one_sets_the_file_aside(path: Path) -> None:
    one, other = DailyFile(path), DailyFile(path)
    write(one, "yesterday-1")
    write(other, "yesterday-2")
    let_midnight_pass(one, other)
    for file, text in ((one, "today-1"), (other, "today-2"), (one, "today-3"), (other, "today-4")):
        write(file, text)
    one.close()
    other.close()
    assert lines_of_earlier_days(path) == ["yesterday-1", "yesterday-2"]
    assert path.read_text().split() == ["today-1", "today-2", "today-3", "today-4"]


def test_a_process_goes_on_where_somebody_moved_the_file_away(path: Path) -> None:
    file = DailyFile(path)
    write(file, "before")
    path.rename(path.with_name("moved"))
    let_midnight_pass(file)
    write(file, "after")
    file.close()
    assert path.read_text().split() == ["after"]


def test_after_a_midnight_without_room_lines_are_written_again(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logging, "raiseExceptions", False)
    one, other = DailyFile(path), DailyFile(path)
    for file in (one, other):
        write(file, "yesterday")
    with no_room():
        for file in (one, other):
            write(file, "midnight")
            let_midnight_pass(file)
            write(file, "midnight")
    for file in (one, other):
        write(file, "today")
        file.close()
    assert lines_of_earlier_days(path) == ["yesterday", "yesterday"]
    assert path.read_text().split().count("today") == 2


def test_seven_earlier_days_are_kept(path: Path) -> None:
    for day in range(1, 10):
        path.with_name(f"{path.name}.2026-01-{day:02}").write_text("old")
    file = DailyFile(path)
    let_midnight_pass(file)
    write(file, "today")
    file.close()
    assert len([*path.parent.glob(f"{path.name}.*")]) == 7
