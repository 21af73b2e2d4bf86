"""How the loop of a worker and the application agree on answers that wait for nothing.

A loop that has to wait for PostgreSQL, Redis or a lock held meanwhile holds up every connection.
So it asks first whether the application ``Knows`` the answer, and then says ``AT_ONCE`` in the
request's environ; the application raises ``WouldWait`` where it cannot keep to that after all.

Nothing of the application is imported here: gunicorn's first process needs it as well.
"""

from collections.abc import Callable

AT_ONCE = "stockroom.at_once"
"""In an environ: that the answer must not wait. In ``Flask.extensions``: what ``Knows``."""

Knows = Callable[[str, str], bool]
"""Whether the answer to a path and its query, both as they were sent, is most likely at hand."""


class WouldWait(Exception):
    """The answer has to be waited for: a thread must be asked for it."""
