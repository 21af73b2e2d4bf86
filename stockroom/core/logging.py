"""Logs: for people on a terminal, JSON otherwise; secrets never reach them, whatever the level."""

import json
import logging
import re
import sys
from collections.abc import Mapping, MutableMapping
from contextvars import ContextVar
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

import orjson
import structlog
from structlog.typing import EventDict, Processor

from stockroom.config import LogFormat, Settings
from stockroom.core.logfile import DailyFile

REDACTED = "[redacted]"

request_id: ContextVar[str | None] = ContextVar("request_id", default=None)
"""The id of the request that is being answered, which its lines carry; None in commands and jobs.
"""

_SECRET_NAME = re.compile(
    r"passw|secret|token|ticket|authorization|cookie|api.?key|credential|private|otp|recovery|^code$",
    re.IGNORECASE,
)
# Strangers choose what is looked through: no part of it may go over the same characters again from
# each place where it could begin.
SECRET_TEXT = re.compile(
    r"eyJ[\w-]+(?:\.[\w-]*){0,2}"  # a JSON Web Token
    r"|sr_[0-9A-Za-z]{16,}"  # an API key; in an address, an escape such as %20 may stand before it
    r"|\$argon2\w+\$\S+"  # a password's hash
    r"|(?<=://)[^\s/:]*:[^\s/]*(?=@)"  # user and password in an address
    r"|(?i:(?<=bearer )|(?<=basic ))[\w.~+/=-]+"
    # What follows a secret's name in a text, such as a form, a JSON document or a DSN.
    r"|(?i:(?<=cookie: ))[^\r\n]+"
    r"|(?i:(?P<name>(?:passw\w{0,40}|secret\w{0,40}|token|ticket|api.?key|[\"']code)[\"']?\s?[=:]\s?[\"']?))[^\s\"'&,;]+"
)

# In lower case, what stands in every text that the pattern finds: to look for these is far cheaper,
# and most texts hold none.
_SIGNS = (
    *("eyj", "sr_", "$argon2", "@", "bearer ", "basic ", "cookie"),
    *("passw", "secret", "token", "ticket", "key", "code"),
)


def configure(settings: Settings) -> None:
    """Send the records of structlog and of the standard library through one formatter."""
    # No line tells of these, and each record would be given them.
    logging.logThreads = logging.logProcesses = logging.logMultiprocessing = False
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *_shared(),
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )
    is_console = settings.log_format is LogFormat.CONSOLE or (
        settings.log_format is None and sys.stderr.isatty()
    )
    handlers: list[logging.Handler] = [_formatted(logging.StreamHandler(), console=is_console)]
    if settings.log_file:
        settings.log_file.parent.mkdir(parents=True, exist_ok=True)
        handlers.append(_formatted(DailyFile(settings.log_file), console=False))
    _replace_handlers(handlers, settings.log_level)


class Line(dict[str, Any]):
    """What is said of every request. All fields are texts and numbers."""


def say(name: str, line: Line) -> None:
    """Log a line of a request, as ``structlog.get_logger(name).info`` would, for a fraction of the
    time: it is a good part of what a hot read takes.
    """
    logger = logging.getLogger(name)
    if not logger.isEnabledFor(logging.INFO):
        return
    moment = datetime.now(UTC).isoformat().replace("+00:00", "Z")
    line.update(logger=name, level="info", timestamp=moment)
    record = logging.LogRecord(name, logging.INFO, "", 0, line, (), None)
    # As structlog marks its own, for those formatters that do not know lines.
    record._logger, record._name = logger, "info"  # noqa: SLF001
    # Written out here: handlers hold a lock meanwhile.
    record.written = _written(line)
    logger.handle(record)


def _written(line: Line) -> str:
    # Looked through as a whole: most lines hold no sign, and no field has a secret's name.
    written = orjson.dumps(line).decode()
    # What is not ASCII has to be escaped: some of it ends a line, or turns one around.
    is_plain = written.isascii() and "\\" not in written and not _has_sign(written)
    return written if is_plain else json.dumps(redact(None, "", line))


class _Formatter(structlog.stdlib.ProcessorFormatter):
    """Writes JSON; lines without the processors, in which there is nothing left for them to do."""

    def format(self, record: logging.LogRecord) -> str:
        written: str | None = getattr(record, "written", None)
        return super().format(record) if written is None else written


def redact(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> Mapping[str, Any]:
    """Blank out values with a secret's name, and whatever looks like a secret in any text."""
    return {name: _redacted(name, value) for name, value in event.items()}


def _redacted(name: str, value: Any) -> Any:
    if _is_secret(name):
        return REDACTED
    if isinstance(value, str):
        return _without_secrets(value)
    if isinstance(value, (int, float)) or value is None:
        return value
    if isinstance(value, Mapping):
        return {str(key): _redacted(str(key), inner) for key, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [_redacted("", inner) for inner in value]
    return _without_secrets(str(value))


def _without_secrets(text: str) -> str:
    return SECRET_TEXT.sub(_blanked, text) if _has_sign(text) else text


def _has_sign(text: str) -> bool:
    folded = text.casefold()
    # A loop, as a generator in ``any`` would take twice as long.
    for sign in _SIGNS:  # noqa: SIM110
        if sign in folded:
            return True
    return False


@lru_cache(maxsize=1024)
def _is_secret(name: str) -> bool:
    return _SECRET_NAME.search(name) is not None


def _blanked(found: re.Match[str]) -> str:
    return (found["name"] or "") + REDACTED


def _shared() -> list[Processor]:
    return [
        _name_request,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.stdlib.PositionalArgumentsFormatter(),
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.StackInfoRenderer(),
    ]


def _name_request(_logger: Any, _method: str, event: EventDict) -> EventDict:
    if own_id := request_id.get():
        event.setdefault("request_id", own_id)
    return event


def _formatted(handler: logging.Handler, *, console: bool) -> logging.Handler:
    renderer: Processor = (
        structlog.dev.ConsoleRenderer() if console else structlog.processors.JSONRenderer()
    )
    formatter = structlog.stdlib.ProcessorFormatter if console else _Formatter
    handler.setFormatter(
        formatter(
            foreign_pre_chain=_shared(),
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.format_exc_info,
                redact,
                renderer,
            ],
        )
    )
    return handler


def _replace_handlers(handlers: list[logging.Handler], level: int) -> None:
    root = logging.getLogger()
    for handler in root.handlers[:]:
        # Handlers that others have put there, such as a test's, stay.
        if isinstance(handler.formatter, structlog.stdlib.ProcessorFormatter):
            root.removeHandler(handler)
            handler.close()
    for handler in handlers:
        root.addHandler(handler)
    root.setLevel(level)
