"""What was seen last, up to a number."""

from collections import OrderedDict
from threading import Lock
from typing import Generic, TypeVar

V = TypeVar("V")


class Recent(Generic[V]):
    """Values by the digest of what they belong to; the oldest make room for new ones."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._values: OrderedDict[bytes, V] = OrderedDict()
        self._lock = Lock()

    def get(self, digest: bytes) -> V | None:
        return self._values.get(digest)

    def keep(self, digest: bytes, value: V) -> None:
        with self._lock:
            self._values.pop(digest, None)
            self._values[digest] = value
            if len(self._values) > self._most:
                self._values.popitem(last=False)

    def drop(self, digest: bytes) -> None:
        with self._lock:
            self._values.pop(digest, None)
