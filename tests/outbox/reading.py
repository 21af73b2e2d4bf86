"""What ``GET /events`` tells somebody."""

from typing import Any

from tests.api import Api


def read(client: Api, query: str = "") -> dict[str, Any]:
    response = client.get(f"/events?{query}")
    assert response.status_code == 200, response.text
    document: dict[str, Any] = response.get_json()
    return document


def told_positions(client: Api, query: str = "") -> list[int]:
    return [item["position"] for item in read(client, query)["items"]]
