"""Root drops to an unprivileged account, and nobody else gets in."""

import os
import pwd
import shutil
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from stockroom.embedded.account import Account, account_for
from stockroom.embedded.binaries import find
from stockroom.embedded.errors import EmbeddedServerError
from stockroom.embedded.place import SHELTER, settle, within_reach
from stockroom.embedded.postgres import EmbeddedPostgres
from tests.embedded.conftest import as_root
from tests.embedded.processes import run

Serve = Callable[..., EmbeddedPostgres]


def another_account(than: Account) -> Account:
    """An ordinary account that is not the server's."""
    return next(
        Account(entry.pw_name, entry.pw_uid, entry.pw_gid)
        for entry in pwd.getpwall()
        if entry.pw_uid not in (0, than.uid)
    )


def modes_up_from(folder: Path) -> list[str]:
    return [stat.filemode(parent.stat().st_mode) for parent in (folder, *folder.parents)]


def test_an_ordinary_user_needs_no_other_account(folder: Path) -> None:
    if os.geteuid() == 0:
        pytest.skip("runs as root")

    assert account_for(folder).uid == os.geteuid()


@as_root
def test_root_runs_new_data_as_an_unprivileged_account(folder: Path) -> None:
    assert account_for(folder / "data").name in ("postgres", "nobody")


@as_root
def test_root_runs_data_as_their_owner(folder: Path) -> None:
    owner = another_account(than=account_for(folder))
    os.chown(folder, owner.uid, owner.gid)

    assert account_for(folder) == owner


def test_a_tool_sees_no_secret_of_the_environment(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SECRET_KEY", "hush")
    monkeypatch.setenv("PGPORT", "1")

    shown = account_for(folder).run(["env"]).stdout

    assert "SECRET_KEY" not in shown
    assert "PGPORT" not in shown


@as_root
def test_another_account_is_refused_by_the_server(folder: Path, serve: Serve) -> None:
    open_socket = {"unix_socket_directories": str(folder), "unix_socket_permissions": "0777"}
    account = account_for(folder / "postgres" / "data")
    os.chown(folder, account.uid, account.gid)
    info = serve(folder / "postgres", **open_socket).start()
    psql = within_reach(find(), account, folder / "postgres").folder / "psql"

    command = [str(psql), "-h", info.host, "-c", "SELECT 'let in'", "stockroom", "stockroom"]
    refused = another_account(than=account).run(command)
    accepted = account.run(command)

    assert "Peer authentication failed" in refused.stderr
    assert "let in" in accepted.stdout


@as_root
def test_another_account_cannot_reach_the_socket(folder: Path, serve: Serve) -> None:
    info = serve(folder / "postgres").start()

    assert not another_account(than=account_for(folder)).can_enter(Path(info.host))


@as_root
def test_a_folder_out_of_reach_is_replaced_by_a_link_to_a_shelter(
    closed_folder: Path, serve: Serve
) -> None:
    before = modes_up_from(closed_folder)
    home = closed_folder / "instance" / "postgres"
    server = serve(home)

    server.start()
    server.stop()
    server.start()

    assert home.readlink().parent == SHELTER
    assert modes_up_from(closed_folder) == before
    assert stat.S_IMODE((home / "data").stat().st_mode) == 0o700


@as_root
def test_a_folder_in_use_that_is_out_of_reach_is_a_clear_error(
    closed_folder: Path, serve: Serve
) -> None:
    (closed_folder / "postgres").mkdir()
    (closed_folder / "postgres" / "file").touch()

    with pytest.raises(EmbeddedServerError, match="which cannot enter"):
        serve(closed_folder / "postgres").start()


@as_root
def test_a_lost_shelter_is_replaced(closed_folder: Path) -> None:
    home = closed_folder / "postgres"
    account = account_for(home / "data")
    lost = settle(home, account)
    shutil.rmtree(lost)

    assert settle(home, account).is_dir()


@as_root
def test_programs_out_of_reach_are_copied(closed_folder: Path, folder: Path) -> None:
    wheel = find()
    if not wheel.movable:
        pytest.skip("needs the wheel")
    package = wheel.folder.parents[1]
    for tree in (Path(package.name, wheel.folder.parent.name), Path(f"{package.name}.libs")):
        shutil.copytree(package.parent / tree, closed_folder / tree)
    hidden = closed_folder / package.name / wheel.folder.parent.name / "bin"
    account = account_for(folder / "data")

    assert not account.can_run(hidden / "initdb")
    moved = within_reach(type(wheel)(hidden, wheel.version, movable=True), account, folder)

    assert moved.folder.is_relative_to(folder)
    assert account.can_run(moved.folder / "initdb")


@as_root
def test_an_ordinary_user_can_run_a_server(folder: Path) -> None:
    user = another_account(than=account_for(folder))
    if not user.can_run(find().folder / "initdb"):
        pytest.skip("the programs are out of the reach of ordinary accounts")
    os.chown(folder, user.uid, user.gid)
    script = f"""
os.chdir("/"); os.setgroups([]); os.setgid({user.gid}); os.setuid({user.uid})
server.start(); print(server.running); server.stop()
"""
    assert run(folder / "postgres", script) == "True"
    assert (folder / "postgres" / "data").stat().st_uid == user.uid
