"""Due work on accounts that were removed."""

from stockroom.core.background.jobs import Job
from stockroom.users.service import forget_removed

JOBS = (Job("users.forget_removed", forget_removed, every_seconds=3600),)
