"""Due work on webhooks: sending what is to be sent."""

from stockroom.core.background.jobs import Job
from stockroom.core.context import belongings, entering_application, settings
from stockroom.webhooks.sending.attempt import Sender
from stockroom.webhooks.sending.dispatcher import Dispatcher
from stockroom.webhooks.sink import DELIVER_JOB

_KEY = "stockroom.webhooks.dispatcher"


def deliver() -> None:
    """Send what is due; returns at once, the requests go on in threads."""
    running: Dispatcher = belongings().get(_KEY) or belongings().setdefault(_KEY, _dispatcher())
    running.pump()


def stop() -> None:
    """Finish the requests under way, and give back the rest."""
    if running := belongings().pop(_KEY, None):
        running.stop()


def new_sender() -> Sender:
    return Sender(
        http=settings().webhook_http,
        networks=settings().webhook_networks,
        seconds=settings().webhook_timeout_seconds,
    )


def _dispatcher() -> Dispatcher:
    return Dispatcher(entering_application(), new_sender(), settings().webhook_timeout_seconds)


JOBS = (Job(DELIVER_JOB, deliver, every_seconds=1, stop=stop),)
