"""The connection of worker and beat to Redis, which has to outlive a Redis that goes away."""

from typing import Any

from celery.app.amqp import AMQP
from kombu.connection import Connection
from kombu.transport import redis
from redis.exceptions import ConnectionError  # noqa: A004 - the one that kombu expects


class Channel(redis.Channel):
    """One that can be used after its connection is lost, and then says so.

    A job that ends later acknowledges its message there. kombu fails at that in a way that Celery
    takes for a bug of its own, upon which it ends the worker.
    """

    def _connparams(self, asynchronous: bool = False) -> Any:
        if getattr(self.connection, "client", None) is None:
            raise ConnectionError("The channel's connection was lost.")
        return super()._connparams(asynchronous=asynchronous)  # type: ignore[no-untyped-call]


class Transport(redis.Transport):
    Channel = Channel


class BrokerConnection(Connection):
    """Looks once a second whether a broker that went away is back.

    Celery would wait longer each time, up to half a minute, and has no setting for it.
    """

    def get_transport_cls(self) -> type[Transport]:
        return Transport

    def ensure_connection(self, *args: Any, **how: Any) -> Any:
        intervals = {"interval_start": 1, "interval_step": 0, "interval_max": 1}
        return super().ensure_connection(*args, **intervals, **how)  # type: ignore[no-untyped-call]


class Broker(AMQP):
    """How Celery reaches its broker."""

    Connection = BrokerConnection
