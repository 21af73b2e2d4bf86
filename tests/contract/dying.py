"""The application in a process that dies, as by ``kill -9``, with the answer in its hands: what was
asked for is committed, and nobody is told.
"""

import os
import signal
from collections.abc import Iterable
from typing import Any

from wsgi import app

_answer = app.wsgi_app


def _answer_or_die(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
    answer = _answer(environ, start_response)
    if "HTTP_X_DIE" in environ:
        os.kill(os.getpid(), signal.SIGKILL)
    return answer


app.wsgi_app = _answer_or_die  # type: ignore[method-assign]  # the documented way
