"""Keys in the hands of their owners."""

from typing import Any

from tests.api import Api

NEW = {"name": "Till 3", "scopes": ["account:own"]}


def create(api: Api, **changes: Any) -> dict[str, Any]:
    response = api.post("/auth/api-keys", json=NEW | changes)
    assert response.status_code == 201, response.text
    created: dict[str, Any] = response.get_json()
    return created


def items(api: Api) -> list[dict[str, Any]]:
    listed: list[dict[str, Any]] = api.get("/auth/api-keys").get_json()["items"]
    return listed
