"""Due work on mails."""

from stockroom.core.background.jobs import Job
from stockroom.mail.sending import remove_old, send_due
from stockroom.mail.service import SEND_JOB

JOBS = (
    Job(SEND_JOB, send_due, every_seconds=5),
    Job("mail.remove_old", remove_old, every_seconds=3600),
)
