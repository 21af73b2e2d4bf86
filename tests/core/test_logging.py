"""Logs: their formats and files."""

import json
import logging
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import quote

import pytest
import structlog
from flask import Flask

from stockroom.config import LogFormat, Settings
from stockroom.core.logging import configure
from tests.api import Api


@pytest.fixture(autouse=True)
def usual_logging(app: Flask, settings: Settings) -> Iterator[None]:
    yield
    configure(settings)


@pytest.fixture
def log_file(tmp_path: Path) -> Path:
    return tmp_path / "logs" / "stockroom.log"


def lines(path: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


@pytest.mark.parametrize("odd", ["\u2028", "\x85", "\x9b2J", "\u202e", "🫖", "\x1b[2J"])
def test_nothing_in_a_path_ends_a_line_or_speaks_to_a_terminal(
    make_app: Callable[..., Flask], log_file: Path, odd: str
) -> None:
    Api(make_app(log_file=log_file, log_level=logging.INFO)).get(f"/no{quote(odd)}where")
    assert log_file.read_bytes().isascii()
    assert odd not in log_file.read_text(encoding="utf-8")
    (line,) = [line for line in lines(log_file) if line["event"] == "request"]
    assert line["path"] == f"/api/v1/no{odd}where"


def test_a_request_is_one_line_with_its_id(make_app: Callable[..., Flask], log_file: Path) -> None:
    api = Api(make_app(log_file=log_file, log_level=logging.INFO))
    response = api.get("/nowhere?token=swordfish")
    (line,) = [line for line in lines(log_file) if line["event"] == "request"]
    assert line["request_id"] == response.headers["X-Request-ID"]
    assert (line["method"], line["path"], line["status"]) == ("GET", "/api/v1/nowhere", 404)
    assert line["level"] == "info"
    assert str(line["timestamp"]).endswith("Z")


def test_json_is_one_object_a_line(
    make_app: Callable[..., Flask], capsys: pytest.CaptureFixture[str]
) -> None:
    make_app(log_format=LogFormat.JSON, log_level=logging.INFO)
    structlog.get_logger("shop").info("shelf\nempty", shelf=7)
    line = json.loads(capsys.readouterr().err)
    assert (line["event"], line["shelf"], line["logger"]) == ("shelf\nempty", 7, "shop")


def test_the_console_is_for_people(
    make_app: Callable[..., Flask], capsys: pytest.CaptureFixture[str]
) -> None:
    make_app(log_format=LogFormat.CONSOLE, log_level=logging.INFO)
    structlog.get_logger("shop").info("shelf empty", shelf=7)
    written = capsys.readouterr().err
    assert "shelf empty" in written
    assert not written.startswith("{")


def test_what_is_not_a_terminal_gets_json(
    make_app: Callable[..., Flask], capsys: pytest.CaptureFixture[str]
) -> None:
    make_app(log_level=logging.INFO)
    structlog.get_logger("shop").info("shelf empty")
    assert json.loads(capsys.readouterr().err)["event"] == "shelf empty"


def test_records_of_libraries_look_the_same(make_app: Callable[..., Flask], log_file: Path) -> None:
    make_app(log_file=log_file, log_level=logging.INFO)
    logging.getLogger("library").warning("%d shelves empty", 7)
    (line,) = lines(log_file)
    assert (line["event"], line["logger"], line["level"]) == (
        "7 shelves empty",
        "library",
        "warning",
    )


def test_what_is_below_the_level_is_not_written(
    make_app: Callable[..., Flask], log_file: Path
) -> None:
    make_app(log_file=log_file, log_level=logging.WARNING)
    structlog.get_logger("shop").info("shelf empty")
    logging.getLogger("library").info("shelf empty")
    assert lines(log_file) == []


def test_a_bug_is_logged_with_its_trace(make_app: Callable[..., Flask], log_file: Path) -> None:
    app = make_app(log_file=log_file, log_level=logging.WARNING)
    app.add_url_rule("/api/v1/fail", "fail", lambda: 1 // 0)
    response = Api(app).get("/fail")
    (line,) = lines(log_file)
    assert "ZeroDivisionError" in str(line["exception"])
    assert line["request_id"] == response.headers["X-Request-ID"]


def test_configuring_again_leaves_no_second_handler(
    make_app: Callable[..., Flask], log_file: Path
) -> None:
    make_app(log_file=log_file, log_level=logging.INFO)
    make_app(log_file=log_file, log_level=logging.INFO)
    logging.getLogger("library").info("once")
    assert [line["event"] for line in lines(log_file)] == ["once"]
