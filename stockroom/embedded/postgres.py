"""A private PostgreSQL server that lives as long as some process uses it."""

import atexit
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from stockroom.embedded import lease
from stockroom.embedded.account import account_for
from stockroom.embedded.cluster import Cluster
from stockroom.embedded.conf import ROLE
from stockroom.embedded.database import ensure_database
from stockroom.embedded.errors import EmbeddedServerError, reported
from stockroom.embedded.place import settle
from stockroom.embedded.postmaster import PORT, Postmaster, answers, read_postmaster


@dataclass(frozen=True)
class ConnectionInfo:
    """How to reach the server; `host` is the folder of its unix socket."""

    host: str
    port: str = PORT
    user: str = ROLE
    database: str = ROLE

    def libpq(self) -> dict[str, str]:
        """The same as arguments of `psycopg2.connect`."""
        return {
            "host": self.host,
            "port": self.port,
            "user": self.user,
            "dbname": self.database,
        }

    @property
    def answers(self) -> bool:
        """Whether the server still takes connections there."""
        return answers(Path(self.host))


class EmbeddedPostgres:
    """The server whose files lie in `home`, shared by all processes that name the same folder.

    `settings` are PostgreSQL's own (`{"fsync": "off"}`), and hold when this object is the one that
    really starts the server. Methods are safe to call from several threads.
    """

    def __init__(self, home: Path, *, settings: Mapping[str, str] = MappingProxyType({})) -> None:
        self._home = home.absolute()
        self._settings = settings
        self._info: ConnectionInfo | None = None
        self._cluster: Cluster | None = None
        self._place = self._home
        self._owner: int | None = None

    def start(self) -> ConnectionInfo:
        """See that the server runs and that it stays until `stop`, or the end of this process.

        A child forked by a process that started the server relies on its parent's lease while
        the server answers; if it is gone, the child starts it again, with a lease of its own.
        Raises EmbeddedServerError.
        """
        if self._info is not None and self._info.answers:
            return self._info
        with reported(f"use {self._home}"):
            account = account_for(self._home / "data")
            place = settle(self._home, account)
            with lease.exclusive(place):
                return self._start_in(place, Cluster(place, account, self._settings))

    def stop(self) -> None:
        """Stop using the server; its last user stops it, breaking off what still goes on.

        Nothing happens in a process that did not start it. Raises EmbeddedServerError.
        """
        if self._owner != os.getpid():
            return
        atexit.unregister(self.stop)
        with reported(f"stop the server in {self._home}"), lease.exclusive(self._place):
            self._leave()

    @property
    def info(self) -> ConnectionInfo | None:
        """What `start` answered, without looking whether it still holds; None after `stop`."""
        return self._info

    @property
    def running(self) -> bool:
        """Whether the server answers, whoever started it."""
        return self._answering() is not None

    @property
    def pid(self) -> int | None:
        """The process id of the server, or None while it does not answer."""
        postmaster = self._answering()
        return None if postmaster is None else postmaster.pid

    def _answering(self) -> Postmaster | None:
        postmaster = read_postmaster(self._home / "data")
        return postmaster if postmaster is not None and postmaster.answers else None

    def _start_in(self, place: Path, cluster: Cluster) -> ConnectionInfo:
        if self._owner != os.getpid():
            lease.take(place)
            self._owner, self._place, self._cluster = os.getpid(), place, cluster
            atexit.register(self.stop)
        try:
            self._info = _bring_up(cluster)
        except BaseException:
            self._leave()
            raise
        return self._info

    def _leave(self) -> None:
        """Give the lease back, and stop the server if it was the last; within the start lock."""
        if self._owner != os.getpid() or self._cluster is None:
            return
        self._owner = self._info = None
        if lease.give_back(self._place):
            self._cluster.halt()


def _bring_up(cluster: Cluster) -> ConnectionInfo:
    postmaster = cluster.answering()
    if postmaster is None:
        cluster.launch()
        postmaster = cluster.answering()
    if postmaster is None or postmaster.sockets is None:
        raise EmbeddedServerError(f"The private PostgreSQL in {cluster.data} ended at once.")
    ensure_database(postmaster.sockets)
    return ConnectionInfo(host=str(postmaster.sockets))
