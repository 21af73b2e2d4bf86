"""The server's configuration files: a unix socket only, and only for accounts that own the data."""

from collections.abc import Mapping
from pathlib import Path

from stockroom.embedded.account import Account, root_name
from stockroom.embedded.postmaster import PORT

MAIN_FILE = "postgresql.conf"
SUPERUSER = "postgres"
ROLE = "stockroom"
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
    }
    lines = [f"{name} = {_quoted(value)}\n" for name, value in (settings | dict(extra)).items()]
    # What initdb found out about the machine, and what the data's owner added to it, holds too.
    return "".join([f"include_if_exists = 'data/{MAIN_FILE}'\n", *lines])


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
