"""The text of mails: Jinja templates that lie in the feature that sends them."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from jinja2 import Environment, FunctionLoader, StrictUndefined, select_autoescape

_SUBJECT = "Subject:"


@dataclass(frozen=True, slots=True)
class Letter:
    """What a person reads; both bodies say the same."""

    subject: str
    text: str
    html: str


def render(template: str, params: Mapping[str, str]) -> Letter:
    """:raises jinja2.TemplateError: if there is no such template, or it names what is not given."""
    text = _environment().get_template(f"{template}.txt").render(params)
    html = _environment().get_template(f"{template}.html").render(params)
    first, _, body = text.partition("\n")
    # A subject is one line, whatever it is made of.
    subject = " ".join(first.removeprefix(_SUBJECT).split())
    return Letter(subject, body.strip() + "\n", html)


def parameters(text: str) -> dict[str, str]:
    """What ``service.send`` has kept."""
    given: dict[str, str] = json.loads(text)
    return given


@cache
def _environment() -> Environment:
    return Environment(
        loader=FunctionLoader(_source),
        autoescape=select_autoescape(["html"]),
        undefined=StrictUndefined,
        trim_blocks=True,
        keep_trailing_newline=True,
    )


def _source(name: str) -> str | None:
    """The file behind ``feature/name.ending``."""
    feature, _, file_name = name.partition("/")
    path = files("stockroom") / feature / "mails" / file_name
    return path.read_text(encoding="utf-8") if path.is_file() else None
