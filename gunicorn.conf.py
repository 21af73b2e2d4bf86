"""How gunicorn serves the application, in production and under ``make run`` alike."""

from gunicorn.arbiter import Arbiter
from gunicorn.config import Config
from gunicorn.glogging import Logger as GunicornLogger
from gunicorn.workers.base import Worker

from stockroom.config import load_settings_or_exit
from stockroom.core import malformed
from stockroom.core.engine import Engine
from stockroom.core.logging import configure

_settings = load_settings_or_exit()


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


malformed.install()

bind = f"{_settings.host}:{_settings.port}"
workers = _settings.web_concurrency
worker_class = "gthread"
threads = _settings.web_threads
logger_class = Logger
# TRUSTED_PROXIES alone says who is believed: gunicorn would believe any caller on this machine.
forwarded_allow_ips = ""
# The control interface would put a socket into the home directory.
control_socket_disable = True


def post_worker_init(worker: Worker) -> None:
    """Without Redis, and so without workers of Celery, the one process does all work itself."""
    if not _settings.redis_url:
        worker.engine = Engine(worker.wsgi)
        worker.engine.start()


def worker_exit(_arbiter: Arbiter, worker: Worker) -> None:
    if engine := getattr(worker, "engine", None):
        engine.stop()
