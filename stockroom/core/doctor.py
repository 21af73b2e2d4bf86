"""``flask doctor``: whether everything is there that a healthy installation has."""

from collections.abc import Iterator

import click
from flask.cli import with_appcontext

from stockroom.config import Settings
from stockroom.core.console import json_option, print_table
from stockroom.core.context import settings
from stockroom.core.health import Unready, bound_checks, check_connections, check_letters

OWASP_MEMORY_KIB = 19 * 1024

Finding = tuple[str, str, str]
"""What was looked at, ``ok``, ``note`` or ``FAIL``, and what was found."""


@click.command()
@json_option
@with_appcontext
def doctor(*, as_json: bool) -> None:
    """Check settings, database, migrations, Redis and security; exits with 1 if one fails.

    Example: flask doctor
    """
    findings = [*_settings(settings()), *_services(), *_security(settings())]
    print_table(("what", "state", "found"), findings, as_json=as_json)
    if any(state == "FAIL" for _, state, _ in findings):
        raise SystemExit(1)


def _settings(current: Settings) -> Iterator[Finding]:
    yield "environment", "ok", current.environment
    place = "DATABASE_URL" if current.database_url else f"{current.instance_path}/postgres"
    yield "database server", "ok", place
    yield "address", "ok" if current.public_url else "note", current.base_url


def _services() -> Iterator[Finding]:
    others = {"locale": check_letters, "connections": check_connections}
    for name, check in {**bound_checks(), **others}.items():
        try:
            yield name, "ok", check()
        except Unready as reason:
            yield name, "FAIL", str(reason)


def _security(current: Settings) -> Iterator[Finding]:
    is_strong = current.password_memory_kib >= OWASP_MEMORY_KIB
    cost = f"argon2id, {current.password_memory_kib} KiB, {current.password_passes} passes"
    yield "password cost", "ok" if is_strong else "note", cost
    https = "required" if current.force_https else "not required: set FORCE_HTTPS behind TLS"
    yield "https", "ok" if current.force_https else "note", https
    origins = ", ".join(current.cors_origins) or "none"
    yield "cors origins", "note" if "*" in current.cors_origins else "ok", origins
