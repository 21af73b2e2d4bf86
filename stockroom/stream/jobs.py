"""Due work on tickets: removing those that nobody used."""

from stockroom.core.background.jobs import Job
from stockroom.stream.service import remove_expired_tickets

JOBS = (Job("stream.remove_expired_tickets", remove_expired_tickets, every_seconds=300),)
