"""A real PgBouncer in transaction mode, in front of the tests' PostgreSQL."""

import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, quote, urlsplit

import pytest

from stockroom.embedded.postmaster import SOCKET_NAME, answers

PROGRAM = shutil.which("pgbouncer", path=f"{os.environ.get('PATH', os.defpath)}:/usr/sbin")
PATIENCE_SECONDS = 10.0

SETTINGS: dict[str, Any] = {"database_prepare": False}
"""What an application needs to be told behind it."""

needs_pgbouncer = pytest.mark.skipif(
    PROGRAM is None, reason="there is no pgbouncer: install Debian's package of that name"
)


@contextmanager
def pgbouncer(postgres: str, *, connections: int) -> Iterator[str]:
    """The address behind which a PgBouncer shares so many connections to each database.

    :param postgres: the server's own address. As there, ``{}`` stands for the database's name.
    """
    assert PROGRAM is not None, "there is no pgbouncer"
    address = urlsplit(postgres)
    server = {name: values[0] for name, values in parse_qs(address.query).items()}
    owner = Path(server["host"]).stat()
    # Not pytest's own folder, whose path is too long for a socket and closed to other accounts.
    with tempfile.TemporaryDirectory(prefix="stockroom-pgbouncer-") as name:
        home = Path(name)
        home.chmod(0o755)
        (home / "users.txt").write_text(f'"{address.username}" ""\n')
        (home / "pgbouncer.ini").write_text(
            f"[databases]\n* = host={server['host']} port={server['port']}\n"
            "[pgbouncer]\nlisten_addr =\nlisten_port = 5432\nunix_socket_dir = .\n"
            "auth_type = trust\nauth_file = users.txt\nlogfile = pgbouncer.log\n"
            f"pool_mode = transaction\ndefault_pool_size = {connections}\nmax_client_conn = 500\n"
        )
        is_root = os.geteuid() == 0
        if is_root:
            os.chown(home, owner.st_uid, owner.st_gid)
        with subprocess.Popen(
            [PROGRAM, "-q", "pgbouncer.ini"],
            cwd=home,
            # The server lets in the account that owns it, and PgBouncer does not run as root.
            user=owner.st_uid if is_root else None,
            group=owner.st_gid if is_root else None,
            extra_groups=[] if is_root else None,
            start_new_session=True,
        ) as process:
            try:
                _wait_for(process, home)
                yield f"postgresql://{address.username}@/{{}}?host={quote(name, safe='')}&port=5432"
            finally:
                process.terminate()
                process.wait(PATIENCE_SECONDS)


def _wait_for(process: "subprocess.Popen[bytes]", home: Path) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not answers(home):
        assert process.poll() is None, (home / "pgbouncer.log").read_text()
        assert time.monotonic() < deadline, f"nothing listens on {SOCKET_NAME}"
        time.sleep(0.005)
