"""The ceilings: a bare WSGI application and a bare Flask one, which answer with prepared bytes.

What they answer lies in the instance folder, in a file that ``prepare`` writes; each case of the
table has an address of its own there.
"""

import json
from collections.abc import Callable, Iterable, Mapping
from functools import cache
from http import HTTPStatus
from pathlib import Path
from typing import Any

from flask import Flask, Response

from stockroom.config import load_settings

FILE = "answers.json"


def prepare(folder: Path, answers: Mapping[str, tuple[int, str]]) -> None:
    """Have the ceilings with this instance folder give these answers.

    :param answers: for the name of each case, a status and a body of JSON.
    """
    folder.mkdir()
    (folder / FILE).write_text(json.dumps({**answers, "healthz": (200, "{}")}))


@cache
def _answers() -> dict[str, tuple[int, bytes]]:
    stored = json.loads((load_settings().instance_path / FILE).read_text())
    return {name: (status, body.encode()) for name, (status, body) in stored.items()}


def make_wsgi() -> Callable[..., Iterable[bytes]]:
    """The least that an application can be."""
    prepared = {
        f"/{name}": (f"{status} {HTTPStatus(status).phrase}", body)
        for name, (status, body) in _answers().items()
    }

    def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> list[bytes]:
        status, body = prepared[environ["PATH_INFO"]]
        headers = [("Content-Type", "application/json"), ("Content-Length", str(len(body)))]
        start_response(status, headers)
        return [body]

    return application


def make_flask() -> Flask:
    """Flask as it comes, with a route that does nothing but answer."""
    app = Flask(__name__)
    for name, (status, body) in _answers().items():
        app.add_url_rule(f"/{name}", name, _view(status, body), methods=["GET", "POST"])
    return app


def _view(status: int, body: bytes) -> Callable[[], Response]:
    return lambda: Response(body, status, mimetype="application/json")
