"""The server's configuration files: a unix socket only, and only for accounts that own the data."""

import os
from collections.abc import Mapping
from pathlib import Path

from stockroom.embedded.account import Account, root_name
from stockroom.embedded.postmaster import PORT

MAIN_FILE = "postgresql.conf"
SUPERUSER = "postgres"
ROLE = "stockroom"
LEAST_BUFFERS_MIB, MOST_BUFFERS_MIB = 128, 1024
HBA = "local all all peer map=stockroom\n"


def write_conf(place: Path, account: Account, sockets: Path, extra: Mapping[str, str]) -> None:
    """Write postgresql.conf, pg_hba.conf and pg_ident.conf in `place`.

    They lie outside the data folder: root must not write where another account could plant links.
    """
    _write(place / MAIN_FILE, _main(place, sockets, extra), account)
    _write(place / "pg_hba.conf", HBA, account)
    _write(place / "pg_ident.conf", _ident(account), account)


def _main(place: Path, sockets: Path, extra: Mapping[str, str]) -> str:
    settings = {
        "hba_file": str(place / "pg_hba.conf"),
        "ident_file": str(place / "pg_ident.conf"),
        "listen_addresses": "",
        "port": PORT,
        # A list of names: double quotes keep a comma or a space in one of them.
        "unix_socket_directories": '"{}"'.format(str(sockets).replace('"', '""')),
        "unix_socket_permissions": "0700",
        "timezone": "UTC",
        "log_timezone": "UTC",
        "log_checkpoints": "off",
        "shared_buffers": f"{_buffers_mib()}MB",
    }
    lines = [f"{name} = {_quoted(value)}\n" for name, value in (settings | dict(extra)).items()]
    # What initdb found out about the machine, and what the data's owner added to it, holds too.
    return "".join([f"include_if_exists = 'data/{MAIN_FILE}'\n", *lines])


def _buffers_mib() -> int:
    """An eighth of the machine's memory: PostgreSQL takes it as it needs it.

    Its own default is for the smallest machines. It reads less from the system with more, but
    the machine is shared with the application, and the system keeps what is read as well.
    """
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return max(LEAST_BUFFERS_MIB, min(memory // 8 // 1024**2, MOST_BUFFERS_MIB))


def _ident(account: Account) -> str:
    """Let the server's account, and root, who can become it anyway, be either role."""
    systems = sorted({account.name, root_name()})
    return "".join(
        f'stockroom "{system}" {role}\n' for system in systems for role in (SUPERUSER, ROLE)
    )


def _quoted(value: str) -> str:
    return "'{}'".format(value.replace("\\", "\\\\").replace("'", "''"))


def _write(path: Path, text: str, account: Account) -> None:
    path.write_text(text)
    path.chmod(0o600)
    account.own(path)
