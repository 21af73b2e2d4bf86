"""Jobs as tasks of Celery: a message says that a job may have work, and holds none itself.

So a message may be lost, repeated or late. None is worth waiting for: the next comes by the clock.
"""

from collections.abc import Callable
from datetime import UTC, datetime
from threading import Event, Lock
from typing import Any

import structlog
from celery import Celery
from celery.beat import Scheduler, SchedulingError
from celery.worker.consumer import Consumer as CeleryConsumer
from flask import Flask
from redis.exceptions import RedisError

from stockroom.core.background.broker import Broker
from stockroom.core.background.engine import run_safely
from stockroom.core.background.jobs import Job, bound_jobs

log = structlog.get_logger(__name__)

QUEUE = "stockroom"
THREADS = 8
LONGEST_QUEUE = 1000
SHORTEST_EXPIRY_SECONDS = 60
"""Messages live longer than a moment: the clocks of two machines differ."""
SOCKET_SECONDS = 5

_CONFIGURATION = {
    "task_default_queue": QUEUE,
    "task_serializer": "json",
    "accept_content": ["json"],
    "task_ignore_result": True,
    "task_acks_late": True,
    "task_reject_on_worker_lost": True,
    "worker_prefetch_multiplier": 1,
    # Kept as it is when the broker comes back: with rows as the work, more messages do no harm.
    "worker_enable_prefetch_count_reduction": False,
    # Jobs wait for sockets; and a fork would share connections with the process that made them.
    "worker_pool": "threads",
    "worker_concurrency": THREADS,
    "worker_consumer": "stockroom.core.background.tasks:Consumer",
    "worker_hijack_root_logger": False,
    "worker_redirect_stdouts": False,
    "beat_scheduler": "stockroom.core.background.tasks:Clock",
    "broker_connection_timeout": SOCKET_SECONDS,
    "broker_connection_retry": True,
    "broker_connection_retry_on_startup": True,
    "broker_connection_max_retries": None,
    "broker_transport_options": {
        "socket_timeout": SOCKET_SECONDS,
        "socket_connect_timeout": SOCKET_SECONDS,
        "socket_keepalive": True,
        "health_check_interval": SOCKET_SECONDS,
        # A message that cannot be sent is dropped, not waited for; this is not for the worker's
        # own connection, which is tried again without end.
        "max_retries": 0,
    },
}


def make_celery(app: Flask, redis_url: str) -> Celery:
    """The jobs of the application as tasks of the same names, with the times that they run at."""
    celery = Celery("stockroom", broker=redis_url, amqp=Broker, set_as_current=False)
    celery.conf.update(_CONFIGURATION)
    with app.app_context():
        jobs = bound_jobs()
    for job in jobs.values():
        expires = max(job.every_seconds, SHORTEST_EXPIRY_SECONDS)
        celery.task(_turning(app, job), name=job.name, expires=expires, shared=False)
    celery.conf.beat_schedule = {job.name: _entry(job) for job in jobs.values()}
    return celery


class Consumer(CeleryConsumer):
    """Without the talk between workers, which need nothing of each other.

    It costs a second at each start, and is one more thing that can hang when Redis comes back.
    """

    def __init__(
        self, *args: Any, worker_options: dict[str, Any] | None = None, **how: Any
    ) -> None:
        options = {**(worker_options or {}), "without_mingle": True, "without_gossip": True}
        super().__init__(*args, worker_options=options, **how)


class Clock(Scheduler):
    """Sends each job's message when it is due, from memory: it has nothing to remember.

    Celery's own scheduler would keep the times in a file, so that nothing is sent too often.
    """

    is_closed = False

    def tick(self, *args: Any, **how: Any) -> Any:
        # A signal to stop closes the clock and raises SystemExit, wherever beat is at that moment.
        # Within a finalizer, as of a connection that was lost, Python drops what is raised.
        if self.is_closed:
            raise SystemExit
        return super().tick(*args, **how)

    def close(self) -> None:
        self.is_closed = True
        super().close()

    def apply_entry(self, entry: Any, producer: Any = None) -> None:
        try:
            # Messages expire only in the hands of a worker; without one they would fill Redis.
            if producer.channel.client.llen(QUEUE) < LONGEST_QUEUE:
                self.apply_async(entry, producer=producer, advance=False)
            else:
                log.warning("messages pile up", queue=QUEUE, reason="no worker takes them")
        except (SchedulingError, RedisError) as error:
            log.warning("broker away", job=entry.name, reason=str(error))


def _entry(job: Job) -> dict[str, Any]:
    return {
        "task": job.name,
        "schedule": job.every_seconds,
        "options": {"retry": False},
        # Due at each start of beat: one that is started every hour would never send what is
        # due after an hour.
        "last_run_at": datetime.fromtimestamp(0, UTC),
    }


def _turning(app: Flask, job: Job) -> Callable[[], None]:
    """Runs the job, or, where this process runs it already, has it run once more after that.

    So no job takes more than one thread of a process, however many messages there are.
    """
    wanted, running = Event(), Lock()

    def turn() -> None:
        wanted.set()
        while wanted.is_set() and running.acquire(blocking=False):
            try:
                wanted.clear()
                with app.app_context():
                    run_safely(job)
            finally:
                running.release()

    return turn
