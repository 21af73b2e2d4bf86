"""Reserving over REST."""

from typing import Any

from tests.api import Api


def reserve(api: Api, *lines: dict[str, Any], **fields: Any) -> Any:
    return api.post("/reservations", json={"lines": list(lines), **fields})
