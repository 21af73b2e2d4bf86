"""The work as Celery does it: real workers, a real beat, and a Redis that comes and goes."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from itertools import count
from pathlib import Path

import pytest

from stockroom.app import create_app
from stockroom.config import Settings
from stockroom.core.permissions import Role
from stockroom.core.transaction import transaction
from stockroom.embedded.redis import EmbeddedRedis
from stockroom.extensions import db
from stockroom.outbox import repository
from tests.api import Api
from tests.contract.web import ROOT, environment
from tests.contract.work import Workshop
from tests.factories.products import product_body
from tests.factories.users import make_user, token_for
from tests.locks import someone_waits
from tests.servers import Servers
from tests.threads import at_once, elsewhere, until

PASSWORD = "a-password-of-redis"

OpenWorkshop = Callable[[], AbstractContextManager[Workshop]]

_numbers = count(1)


@pytest.fixture(scope="module")
def open_workshop(
    servers: dict[str, str],
    settings: Settings,
    worker_id: str,
    tmp_path_factory: pytest.TempPathFactory,
) -> OpenWorkshop:
    @contextmanager
    def opened() -> Iterator[Workshop]:
        home = tmp_path_factory.mktemp("workshop")
        redis = EmbeddedRedis(home)
        # A Redis without a password takes any; so it is seen whether one is printed.
        address = redis.start().replace("redis://", f"redis://default:{PASSWORD}@")
        changed = replace(
            settings,
            instance_path=home,
            database_url=Servers.database(servers, f"work_{worker_id}_{next(_numbers)}"),
            redis_url=address,
            log_level=20,
        )
        app = create_app(changed)
        try:
            yield Workshop(app, changed, redis)
        finally:
            with app.app_context():
                db.engine.dispose()
            redis.stop()

    return opened


@pytest.fixture(scope="module")
def workshop(open_workshop: OpenWorkshop) -> Iterator[Workshop]:
    """A workshop with a worker, which the tests of this module share."""
    with open_workshop() as shop, shop.working():
        yield shop


def test_a_commit_has_its_event_relayed_without_a_clock(workshop: Workshop) -> None:
    for _ in range(20):
        workshop.record()
        until(lambda: workshop.is_all_relayed)


@pytest.mark.heavy
def test_work_that_nobody_is_woken_for_is_done_by_the_clock(workshop: Workshop) -> None:
    with workshop.ticking():
        # More than once: the first may be found by a run that another commit had asked for.
        for _ in range(3):
            workshop.record_unheard()
            until(lambda: workshop.is_all_relayed)


def test_while_redis_is_away_requests_go_on_and_afterwards_events_arrive(
    workshop: Workshop,
) -> None:
    staff = Api(workshop.app, token_for(workshop.app, make_user(workshop.app, role=Role.STAFF)))
    until(lambda: workshop.is_all_relayed)
    with workshop.ticking() as beat, _without(workshop.redis):
        # It may have come as far as to send, or be about to connect.
        until(lambda: "broker away" in beat.printed or "Connection error" in beat.printed)
        assert staff.post("/products", json=product_body()).status_code == 201
        assert not workshop.is_all_relayed
        workshop.redis.start()
        until(lambda: workshop.is_all_relayed)


@pytest.mark.heavy
def test_a_worker_that_is_told_to_stop_finishes_what_runs(open_workshop: OpenWorkshop) -> None:
    with open_workshop() as shop, shop.working() as worker:
        shop.record()
        until(lambda: shop.is_all_relayed)
        with shop.app.app_context(), transaction() as session:
            repository.lock_cursor(session, repository.RELAY)
            elsewhere(shop.record)
            until(lambda: someone_waits(shop.app))
            worker.terminate()
            until(lambda: "Warm shutdown" in worker.printed)
            assert worker.runs
        assert worker.wait() == 0
        assert shop.is_all_relayed


@pytest.mark.heavy
def test_after_a_kill_a_new_worker_goes_on(open_workshop: OpenWorkshop) -> None:
    with open_workshop() as shop, shop.ticking():
        with shop.working() as worker, shop.app.app_context():
            with transaction() as session:
                repository.lock_relay(session, [])
                for _ in range(20):
                    elsewhere(shop.record)
                until(lambda: someone_waits(shop.app))
                worker.kill()
            assert not shop.is_all_relayed
        with shop.working():
            until(lambda: shop.is_all_relayed)
        assert sorted(shop.positions()) == list(range(1, 21))


@pytest.mark.heavy
def test_two_workers_give_positions_without_gaps_or_repeats(open_workshop: OpenWorkshop) -> None:
    with open_workshop() as shop, shop.ticking(), shop.working(), shop.working():
        at_once(lambda _: [shop.record() for _ in range(100)], range(8))
        until(lambda: shop.is_all_relayed)
        assert sorted(shop.positions()) == list(range(1, 801))


@pytest.mark.heavy
def test_redis_may_go_away_again_and_again(open_workshop: OpenWorkshop) -> None:
    with open_workshop() as shop, shop.ticking() as beat, shop.working() as worker:
        for _ in range(5):
            shop.redis.stop()
            shop.record()
            shop.redis.start()
            until(lambda: shop.is_all_relayed)
        shop.record()
        until(lambda: shop.is_all_relayed)
        assert beat.runs
        assert worker.runs


@pytest.mark.heavy
def test_a_start_without_redis_waits_for_it(open_workshop: OpenWorkshop) -> None:
    with open_workshop() as shop:
        shop.redis.stop()
        with shop.ticking() as beat, shop._running("worker") as worker:  # noqa: SLF001 - it is not ready yet
            until(lambda: "Trying again" in worker.printed and "Trying again" in beat.printed)
            assert PASSWORD not in worker.printed + beat.printed
            shop.record()
            shop.redis.start()
            until(lambda: shop.is_all_relayed)


@pytest.mark.heavy
def test_a_worker_can_be_stopped_while_redis_is_away(open_workshop: OpenWorkshop) -> None:
    with open_workshop() as shop, shop.working() as worker:
        shop.redis.stop()
        until(lambda: "Trying again" in worker.printed)
        worker.terminate()
        assert worker.wait() == 0


def test_without_redis_the_start_is_refused_in_one_line(settings: Settings, tmp_path: Path) -> None:
    variables = {"PATH": os.environ["PATH"], **environment(replace(settings, redis_url=""))}
    refused = subprocess.run(
        [sys.executable, "-m", "celery", "--app", "stockroom.worker", "worker"],
        cwd=ROOT,
        env={**variables, "INSTANCE_PATH": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert refused.returncode == 1
    assert "REDIS_URL is not set" in refused.stderr
    assert "Traceback" not in refused.stderr


@contextmanager
def _without(redis: EmbeddedRedis) -> Iterator[None]:
    """While the block runs, or until it starts Redis again."""
    redis.stop()
    try:
        yield
    finally:
        redis.start()
