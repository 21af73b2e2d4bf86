"""The files that processes count in, with and without room on the disk."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from prometheus_client.mmap_dict import MmapedDict
from structlog.testing import capture_logs
from structlog.typing import EventDict

from stockroom.core import countfile
from stockroom.core.countfile import CountFile, _say_once
from tests.disks import no_room

MANY = 1000
"""Keys that need more room than a file has in the beginning."""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "counter_1.db"


@pytest.fixture
def file(path: Path) -> Iterator[CountFile]:
    with closing(CountFile(str(path))) as file:
        yield file


@pytest.fixture(autouse=True)
def said() -> Iterator[list[EventDict]]:
    """What is logged, which may otherwise go to a file, for which there is no room either."""
    _say_once.cache_clear()
    with capture_logs() as said:
        yield said


def key(number: int) -> str:
    return f'["metric", "name", {{"number": "{number:060}"}}, "help"]'


def told(path: Path) -> dict[str, float]:
    """What another process reads."""
    values = MmapedDict.read_all_values_from_file(str(path))  # type: ignore[no-untyped-call]
    return {name: value for name, value, _, _ in values}


def test_a_file_has_no_holes(path: Path, file: CountFile) -> None:
    for number in range(MANY):
        file.write_value(key(number), number, 0.0)
        found = path.stat()
        assert found.st_blocks * 512 >= found.st_size > 0
    assert told(path) == {key(number): number for number in range(MANY)}


def test_without_room_a_file_is_not_begun(path: Path, file: CountFile) -> None:
    with no_room():
        assert file.read_value(key(1)) == (0.0, 0.0)
        file.write_value(key(1), 7.0, 0.0)
    assert not [*path.parent.iterdir()]


def test_that_there_is_no_room_is_said_once(
    file: CountFile, said: list[EventDict], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(countfile, "RETRY_SECONDS", 0.0)
    with no_room():
        for number in range(MANY):
            file.write_value(key(number), number, 0.0)
    assert [line["event"] for line in said] == ["metrics incomplete"]


def test_without_room_for_more_a_file_goes_on_with_what_it_has(path: Path, file: CountFile) -> None:
    file.write_value(key(1), 7.0, 0.0)
    size = path.stat().st_size
    with no_room(size):
        for number in range(1, MANY):
            file.write_value(key(number), number, 0.0)
        file.write_value(key(1), 8.0, 0.0)
    assert path.stat().st_size == size
    assert 1 < len(told(path)) < MANY - 1
    assert told(path)[key(1)] == 8.0


def test_what_found_no_room_is_told_once_there_is_some(
    path: Path, file: CountFile, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(countfile, "RETRY_SECONDS", 0.0)
    with no_room():
        file.write_value(key(1), 7.0, 0.0)
        file.write_value(key(2), 8.0, 0.0)
    file.write_value(key(1), 9.0, 0.0)
    assert told(path) == {key(1): 9.0, key(2): 8.0}


def test_who_gets_the_number_of_another_process_goes_on_with_its_counts(
    path: Path, file: CountFile
) -> None:
    file.write_value(key(1), 7.0, 0.0)
    with closing(CountFile(str(path))) as other:
        assert other.read_value(key(1)) == (7.0, 0.0)
