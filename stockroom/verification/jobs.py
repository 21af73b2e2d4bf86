"""Due work on mailed tokens."""

from stockroom.core.jobs import Job
from stockroom.verification.service import ANSWER_JOB, answer_requests, remove_expired

JOBS = (
    Job(ANSWER_JOB, answer_requests, every_seconds=5),
    Job("verification.remove_expired", remove_expired, every_seconds=3600),
)
