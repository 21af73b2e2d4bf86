"""Due work on logins."""

from stockroom.auth.sessions import remove_old_sessions
from stockroom.auth.throttling import remove_old
from stockroom.core.background.jobs import Job

JOBS = (
    Job("auth.remove_old_failures", remove_old, every_seconds=3600),
    Job("auth.remove_old_sessions", remove_old_sessions, every_seconds=3600),
)
