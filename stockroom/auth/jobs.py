"""Due work on failed logins."""

from stockroom.auth.throttling import remove_old
from stockroom.core.jobs import Job

JOBS = (Job("auth.remove_old_failures", remove_old, every_seconds=3600),)
