"""Making a key over HTTP, and the id of nothing."""

from typing import Any

from tests.api import Api

NOWHERE = "01980000-0000-7000-8000-000000000000"
NEW = {"name": "Till 3", "scopes": ["account:own"]}


def create(api: Api, **changes: Any) -> dict[str, Any]:
    response = api.post("/auth/api-keys", json=NEW | changes)
    assert response.status_code == 201, response.text
    created: dict[str, Any] = response.get_json()
    return created
