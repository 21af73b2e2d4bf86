"""What gunicorn's processes do beside answering requests (``gunicorn.conf.py`` hangs it in)."""

from threading import Event, Thread

import structlog
from flask import Flask
from gunicorn.workers.base import Worker

from stockroom.config import WebWorker
from stockroom.core import metrics
from stockroom.core.background.engine import Engine
from stockroom.core.context import settings
from stockroom.core.health import Unready, check_connections
from stockroom.core.http import malformed
from stockroom.core.sql import timeouts
from stockroom.extensions import db
from stockroom.serving.greenlets import let_psycopg2_wait
from stockroom.stream.tail import tail_of

log = structlog.get_logger(__name__)

GLANCE_SECONDS = 0.25


class Companion:
    """Runs beside a worker: the engine where there is no Redis, and the goodbye to followers."""

    def __init__(self, worker: Worker, app: Flask) -> None:
        self._worker = worker
        self._app = app
        self._tail = tail_of(app)
        self._over = Event()
        self._watch = Thread(target=self._watch_over, name="serving:watch", daemon=True)
        with app.app_context():
            timeouts.bind(db.engine, settings())
            if settings().web_worker is WebWorker.GREENLETS:
                let_psycopg2_wait()
            # Without Redis, and so without workers of Celery, this process does all work itself.
            self._engine = None if settings().redis_url else Engine(app)

    def start(self) -> None:
        malformed.install()
        self._watch.start()
        if self._engine:
            self._engine.start()

    def stop(self) -> None:
        self._over.set()
        self._tail.close()
        if self._engine:
            self._engine.stop()

    def _watch_over(self) -> None:
        """Tell the followers as soon as the worker is to stop: it waits for their requests.

        Not in the handler of the signal: it may have interrupted whoever holds the lock.
        """
        with self._app.app_context():
            _warn_of_few_connections()
            while self._worker.alive and not self._over.wait(GLANCE_SECONDS):
                # Another worker may be asked for the metrics of all.
                metrics.count_connections()
        self._tail.close()


def _warn_of_few_connections() -> None:
    """Say at the start what would else show when there is most to do."""
    try:
        check_connections()
    except Unready as reason:
        log.warning("connections", reason=str(reason))
