"""A private PostgreSQL is shared by threads, processes and what they fork."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from stockroom.embedded.postgres import EmbeddedPostgres
from tests.embedded.processes import finish, first_line, holder, run


def test_threads_that_start_at_once_share_one_server(server: EmbeddedPostgres) -> None:
    with ThreadPoolExecutor(4) as pool:
        answers = {future.result() for future in [pool.submit(server.start) for _ in range(4)]}

    assert len(answers) == 1


def test_two_objects_of_a_process_share_one_server(server: EmbeddedPostgres, home: Path) -> None:
    other = EmbeddedPostgres(home)

    assert server.start() == other.start()
    server.stop()

    assert other.running
    run(home, "server.start()")
    assert other.running, "another process took the second object's lease for given back"
    other.stop()
    assert not other.running


def test_the_last_of_two_processes_stops_the_server(server: EmbeddedPostgres, home: Path) -> None:
    with holder(home) as first, holder(home) as second:
        assert first_line(first) == first_line(second)
        finish(first)
        assert server.running
        finish(second)
        assert not server.running


def test_a_server_left_over_by_a_killed_process_is_used(
    server: EmbeddedPostgres, home: Path
) -> None:
    with holder(home) as killed:
        pid = int(first_line(killed))
        killed.kill()
        killed.wait()

    server.start()

    assert server.pid == pid


def test_a_forked_child_neither_stops_nor_leases_the_server(
    server: EmbeddedPostgres, home: Path
) -> None:
    script = """
info = server.start()
if not (child := os.fork()):
    assert server.start() == info
    server.stop()
    sys.exit()
assert os.waitpid(child, 0)[1] == 0
print(server.running)
"""
    assert run(home, script) == "True"
    assert not server.running


def test_children_forked_before_the_start_have_leases_of_their_own(
    server: EmbeddedPostgres, home: Path
) -> None:
    script = """
if not (child := os.fork()):
    server.start()
    sys.exit()
server.start()
assert os.waitpid(child, 0)[1] == 0
print(server.running)
"""
    assert run(home, script) == "True"
    assert not server.running
