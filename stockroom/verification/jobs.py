"""Due work on mailed tokens."""

from stockroom.core.background.jobs import Job
from stockroom.verification.service import answer_requests, remove_expired

JOBS = (
    Job("verification.answer_requests", answer_requests, every_seconds=2),
    Job("verification.remove_expired", remove_expired, every_seconds=3600),
)
