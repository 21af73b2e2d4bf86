"""Due work on stock: giving back what was promised for a time that is up."""

from stockroom.core.background.jobs import Job
from stockroom.stock.expiry import expire_overdue

JOBS = (Job("stock.expire_overdue", expire_overdue, every_seconds=5),)
