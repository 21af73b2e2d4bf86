"""The Celery entry point: ``celery --app stockroom.worker worker``, and ``… beat``."""

import logging
import os
import warnings
from dataclasses import replace
from threading import Timer
from typing import Any

import structlog
from celery.exceptions import CPendingDeprecationWarning
from celery.signals import setup_logging, worker_ready, worker_shutdown, worker_shutting_down

from stockroom.app import create_app
from stockroom.config import load_settings_or_exit
from stockroom.core.background.dispatch import Dispatcher
from stockroom.core.background.engine import STOP_SECONDS, give_back
from stockroom.core.background.tasks import THREADS, make_celery

log = structlog.get_logger(__name__)

_settings = load_settings_or_exit()
if not _settings.redis_url:
    raise SystemExit(
        "Stockroom cannot start:\nREDIS_URL is not set. Workers are given their work by way of "
        "Redis; without it, the one web process does all work itself."
    )
# A thread without a connection could do nothing.
_settings = replace(_settings, database_pool_size=max(_settings.connections, THREADS))
_flask = create_app(_settings)
celery = make_celery(_flask, _settings.redis_url)
_dispatcher = Dispatcher(_flask, lambda name: celery.tasks[name].apply_async(retry=False))


@setup_logging.connect
def _keep_logging(**_: Any) -> None:
    """The application has set it up; without this, Celery would set it up anew.

    A line for each message that comes and goes says nothing: every second has several.
    """
    for name in ("celery.app.trace", "celery.beat", "celery.worker.strategy"):
        logging.getLogger(name).setLevel(max(logging.WARNING, _settings.log_level))


@worker_ready.connect
def _begin(**_: Any) -> None:
    # Otherwise eight lines tell each time that Redis went away what Celery 6 will do then.
    warnings.filterwarnings("ignore", category=CPendingDeprecationWarning)
    _dispatcher.start()


@worker_shutting_down.connect
def _hurry(**_: Any) -> None:
    """Do not wait for ever for the jobs that run: what they leave is a row, and comes back."""
    timer = Timer(STOP_SECONDS, _leave)
    timer.daemon = True
    timer.start()


@worker_shutdown.connect
def _end(**_: Any) -> None:
    """Called when the pool's threads have finished."""
    _dispatcher.stop()
    give_back(_flask)


def _leave() -> None:
    log.warning("jobs did not end in time", seconds=STOP_SECONDS)
    give_back(_flask)
    os._exit(1)
