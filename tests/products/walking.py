"""Reading a list of products page by page, as a client does."""

from collections.abc import Iterator
from typing import Any

from tests.api import Api


def pages(reader: Api, path: str) -> Iterator[dict[str, Any]]:
    """The page at ``path`` and all behind it, each asked for as the last one's Link says."""
    next_path: str | None = path
    while next_path:
        response = reader.get(next_path)
        assert response.status_code == 200, response.text
        yield response.get_json()
        link = response.headers.get("Link")
        next_path = link.removeprefix("<").partition(">")[0] if link else None


def walk(reader: Api, path: str, field: str = "sku") -> list[Any]:
    """One field of every product in the list, in its order."""
    return [item[field] for page in pages(reader, path) for item in page["items"]]
