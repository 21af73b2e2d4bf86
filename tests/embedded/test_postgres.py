"""A private PostgreSQL starts, stops and recovers."""

import os
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from stockroom.embedded.account import account_for
from stockroom.embedded.errors import EmbeddedServerError
from stockroom.embedded.postgres import EmbeddedPostgres
from tests.embedded.asking import ask, connected
from tests.embedded.processes import holder, run
from tests.threads import until

Serve = Callable[..., EmbeddedPostgres]


def test_a_started_server_answers_as_an_ordinary_role(server: EmbeddedPostgres) -> None:
    info = server.start()

    assert ask(info, "SELECT current_database() || current_user") == "stockroomstockroom"
    assert ask(info, "SELECT rolsuper FROM pg_roles WHERE rolname = current_user") is False


def test_the_role_may_create_databases(server: EmbeddedPostgres) -> None:
    info = server.start()

    ask(info, "CREATE DATABASE other")
    ask(info, "DROP DATABASE other")


def test_the_database_is_utf8_and_in_utc(server: EmbeddedPostgres) -> None:
    info = server.start()

    assert ask(info, "SHOW server_encoding") == "UTF8"
    assert ask(info, "SHOW timezone") == "UTC"
    assert ask(info, "SHOW data_checksums") == "on"


def test_the_server_listens_on_no_network(server: EmbeddedPostgres) -> None:
    assert ask(server.start(), "SHOW listen_addresses") == ""


def test_settings_reach_the_server(server: EmbeddedPostgres) -> None:
    assert ask(server.start(), "SHOW fsync") == "off"


def test_data_survive_a_stop(server: EmbeddedPostgres) -> None:
    ask(server.start(), "CREATE TABLE kept (x int)")
    server.stop()

    assert ask(server.start(), "SELECT count(*) FROM kept") == 0
    ask(server.start(), "DROP TABLE kept")


def test_starting_twice_is_starting_once(server: EmbeddedPostgres) -> None:
    server.start()
    pid = server.pid

    server.start()

    assert server.pid == pid


def test_a_stopped_server_has_no_process(server: EmbeddedPostgres) -> None:
    server.start()
    server.stop()

    assert not server.running
    assert server.pid is None
    assert server.info is None


def test_a_killed_server_recovers_at_the_next_start(server: EmbeddedPostgres) -> None:
    info = server.start()
    ask(info, "CREATE TABLE IF NOT EXISTS committed (x int)")
    with connected(info):
        os.kill(server.pid or 0, signal.SIGKILL)
        until(lambda: not server.running)

        assert ask(server.start(), "SELECT count(*) FROM committed") == 0


def test_a_reused_process_id_is_not_taken_for_a_server(
    server: EmbeddedPostgres, home: Path
) -> None:
    server.start()
    os.kill(server.pid or 0, signal.SIGKILL)
    until(lambda: not server.running)
    owner = account_for(home / "data")
    stranger = subprocess.Popen(["sleep", "60"], user=owner.uid if os.geteuid() == 0 else None)
    pid_file = home / "data" / "postmaster.pid"
    pid_file.write_text("\n".join([str(stranger.pid), *pid_file.read_text().splitlines()[1:]]))

    server.start()

    assert server.running
    assert stranger.poll() is None
    stranger.kill()
    stranger.wait()


def test_a_server_that_lost_its_socket_is_replaced(server: EmbeddedPostgres) -> None:
    info = server.start()
    lost = server.pid
    (Path(info.host) / ".s.PGSQL.5432").unlink()

    server.start()

    assert server.running
    assert server.pid != lost


def broken_off_start(home: Path) -> bool:
    """Kill a first start while it makes the database, unless it is quicker than that."""
    with holder(home) as killed:
        until(lambda: list(home.glob("data-new-*/*")) or (home / "data").exists())
        killed.kill()
        killed.wait()
    return not (home / "data").exists()


def test_a_broken_off_first_start_leaves_nothing_in_the_way(folder: Path, serve: Serve) -> None:
    home = next(home for home in map(folder.joinpath, "abcde") if broken_off_start(home))

    serve(home).start()

    assert not list(home.glob("data-new-*"))


@pytest.mark.parametrize("name", ["x" * 120, "a, b", "a 'b' \"c\" $d `e` \\f ü"])
def test_a_path_too_long_for_a_socket_or_hard_to_quote_works(
    folder: Path, serve: Serve, name: str
) -> None:
    server = serve(folder / name)

    info = server.start()

    assert ask(info, "SELECT 1") == 1
    assert run(folder / name, "print(server.start().host)") == info.host
    server.stop()
    assert not (Path(info.host) / ".s.PGSQL.5432").exists()


def test_data_of_a_missing_version_are_refused_with_a_clear_error(
    folder: Path, serve: Serve
) -> None:
    (folder / "postgres" / "data").mkdir(parents=True)
    (folder / "postgres" / "data" / "PG_VERSION").write_text("9\n")

    with pytest.raises(EmbeddedServerError, match="made by PostgreSQL 9, which is not installed"):
        serve(folder / "postgres").start()


def test_a_server_that_cannot_start_says_why(folder: Path, serve: Serve) -> None:
    server = serve(folder / "postgres", shared_buffers="many")

    with pytest.raises(EmbeddedServerError, match='invalid value for parameter "shared_buffers"'):
        server.start()

    assert not server.running


def test_a_home_that_cannot_be_made_is_a_clear_error(folder: Path, serve: Serve) -> None:
    (folder / "file").touch()

    with pytest.raises(EmbeddedServerError, match=r"Cannot use .*postgres"):
        serve(folder / "file" / "postgres").start()


def test_a_long_log_is_begun_anew(server: EmbeddedPostgres, home: Path) -> None:
    server.start()
    server.stop()
    os.truncate(home / "server.log", 11 * 1024 * 1024)

    server.start()

    assert (home / "server.log").stat().st_size < 1024 * 1024
