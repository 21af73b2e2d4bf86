"""How gunicorn serves the application, in production and under ``make run`` alike.

What this process imports, its workers have before they begin, and gevent's worker must replace
what blocks before anything holds on to it: so the rest is in ``stockroom.serving.companion``, and
imported by the workers.
"""

import gc
import os
import signal
import sys
from resource import RLIM_INFINITY, RLIMIT_NOFILE, getrlimit, setrlimit
from shutil import rmtree

from gunicorn.arbiter import Arbiter
from gunicorn.config import Config
from gunicorn.glogging import Logger as GunicornLogger
from gunicorn.workers.base import Worker

from stockroom.config import WebWorker, load_settings_or_exit
from stockroom.core.logging import configure
from stockroom.serving import exchange
from stockroom.serving.arenas import limit_arenas

MOST_FILES = 65_536
OTHER_FILES = 200
"""Of a process: its connections to PostgreSQL and Redis, its logs, what it imports."""

_settings = load_settings_or_exit()
limit_arenas()

# Each worker counts in files of its own here, and any of them tells for all. The library looks
# for the variable when a worker imports it.
_metrics = _settings.instance_path.resolve() / "metrics" / str(_settings.port)
os.environ["PROMETHEUS_MULTIPROC_DIR"] = str(_metrics)


class Logger(GunicornLogger):
    """Hands gunicorn's own messages to the application's logging; requests are logged there."""

    def setup(self, cfg: Config) -> None:
        super().setup(cfg)
        # This process only watches over the workers: it makes no application, which would do it.
        configure(_settings)
        for handler in self.error_log.handlers[:]:
            self.error_log.removeHandler(handler)
        self.error_log.propagate = True
        self.access_log.disabled = True


bind = f"{_settings.host}:{_settings.port}"
workers = _settings.processes
_has_threads = _settings.web_worker is WebWorker.THREADS
worker_class = "stockroom.serving.thread_worker.PatientWorker" if _has_threads else "gevent"
# Followers are let in only up to their number, so that the other threads are always there.
threads = _settings.web_threads + _settings.stream_connections
# Each connection is an open file, and a process that runs out of them ends.
_soft, _hard = getrlimit(RLIMIT_NOFILE)
_files = MOST_FILES if _hard == RLIM_INFINITY else min(_hard, MOST_FILES)
if _soft != RLIM_INFINITY:
    setrlimit(RLIMIT_NOFILE, (max(_soft, _files), _hard))
# Connections that are kept alive between two requests have no thread, and need room as well.
worker_connections = min(threads + 2000, _files - OTHER_FILES)
# Whoever comes faster than all processes accept waits here.
backlog = 2048
on_reload = exchange.begin
# Longer than proxies keep a connection (nginx: 60 seconds): who closes first should be who asks.
keepalive = 75
# docs/operators.md and docker-compose.yml wait longer.
graceful_timeout = 30
# A process whose loop does not turn for so long is replaced; requests have no part in that.
timeout = 30
limit_request_line = 8190
limit_request_fields = 64
limit_request_field_size = 8190
logger_class = Logger
# TRUSTED_PROXIES alone says who is believed: gunicorn would believe any caller on this machine.
forwarded_allow_ips = ""
# The control interface would put a socket into the home directory.
control_socket_disable = True


def when_ready(arbiter: Arbiter) -> None:
    # Not before: the port is ours, so whoever has counted here is gone.
    _clear_metrics(arbiter)
    try:
        _metrics.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise SystemExit(f"INSTANCE_PATH: {error.filename}: {error.strerror}") from None


def on_exit(arbiter: Arbiter) -> None:
    _clear_metrics(arbiter)


def _clear_metrics(arbiter: Arbiter) -> None:
    # After SIGUSR2 there are two arbiters for a while, whose workers count side by side.
    if not arbiter.master_pid and not arbiter.reexec_pid:
        rmtree(_metrics, ignore_errors=True)


def child_exit(arbiter: Arbiter, worker: Worker) -> None:
    from prometheus_client.multiprocess import mark_process_dead

    mark_process_dead(worker.pid)
    exchange.replace(arbiter, worker.age)


def post_worker_init(worker: Worker) -> None:
    from stockroom.serving.companion import Companion

    # Ctrl-C reaches every process of a terminal, and the arbiter's word, which follows at once,
    # must not find a thread worker half way through stopping: it would wait for itself.
    signal.signal(signal.SIGINT, lambda *_: None)
    # What is imported stays: the collector need not go through it again and again.
    gc.freeze()
    worker.companion = Companion(worker, worker.wsgi)
    worker.companion.start()


def worker_exit(arbiter: Arbiter, worker: Worker) -> None:
    # With these the server stops; whoever ends in another way is replaced.
    fatal = {arbiter.WORKER_BOOT_ERROR, arbiter.APP_LOAD_ERROR}
    if getattr(sys.exception(), "code", None) in fatal:
        exchange.call_off(worker.age)
    if companion := getattr(worker, "companion", None):
        companion.stop()
