"""What gunicorn's first process imports, which all of its workers have before they begin."""

import subprocess
import sys

import pytest

FIRST = ["arenas", "exchange", "priority", "reading_ahead", "sending", "thread_worker"]
PATCHED = {"flask", "gevent", "psycopg2", "redis", "sqlalchemy", "werkzeug"}
"""Of the application; or held on to what gevent's worker replaces, before it could."""


@pytest.mark.parametrize("name", FIRST)
def test_what_the_first_process_imports_brings_nothing_of_the_application(name: str) -> None:
    program = f"import sys, stockroom.serving.{name}; print(*sys.modules)"
    loaded = subprocess.check_output([sys.executable, "-c", program], text=True).split()
    assert PATCHED.isdisjoint(loaded)
