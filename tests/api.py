"""A client of the API as a test wants it: paths below ``/api/v1``, and a token or an API key."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from flask import Flask
from werkzeug.test import TestResponse

from tests.leaks import WATCH

PREFIX = "/api/v1"


class Api:
    """Sends requests to an application, with an access token or an API key if it has one."""

    def __init__(self, app: Flask, token: str | None = None, *, key: str | None = None) -> None:
        self._client = app.test_client()
        self._headers = {"Authorization": f"Bearer {token}"} if token else {}
        if key:
            self._headers["X-API-Key"] = key

    def request(self, method: str, path: str, **kwargs: Any) -> TestResponse:
        """Other arguments are those of werkzeug.

        :param if_match: the header, or the number of a version of what the path names.
        """
        headers = {**self._headers, **kwargs.pop("headers", {})}
        if (expected := kwargs.pop("if_match", None)) is not None:
            headers["If-Match"] = tag_of(path, expected) if isinstance(expected, int) else expected
        # A whole address, such as one from Location or Link, is taken as it is.
        address = path if path.startswith(PREFIX) else f"{PREFIX}{path}"
        answer = self._client.open(address, method=method, headers=headers, **kwargs)
        WATCH.see_exchange(kwargs, answer)
        return answer

    def get(self, path: str, **kwargs: Any) -> TestResponse:
        return self.request("GET", path, **kwargs)

    def post(self, path: str, **kwargs: Any) -> TestResponse:
        return self.request("POST", path, **kwargs)

    def patch(self, path: str, **kwargs: Any) -> TestResponse:
        return self.request("PATCH", path, **kwargs)

    def put(self, path: str, **kwargs: Any) -> TestResponse:
        return self.request("PUT", path, **kwargs)

    def delete(self, path: str, **kwargs: Any) -> TestResponse:
        return self.request("DELETE", path, **kwargs)


def tag_of(path: str, version: int) -> str:
    """What names, in an ETag, a version of what a path such as ``/products/{id}`` names."""
    return f'"{version}-{UUID(path.rpartition("/")[2]).hex}"'


def product_tag(path: str, version: int, available: int = 0) -> str:
    """The ETag of a version of a product, with so many pieces available."""
    return f'{tag_of(path, version)[:-1]}.{available}"'


def statuses(responses: Sequence[TestResponse]) -> list[int]:
    return [response.status_code for response in responses]


def assert_problem(response: TestResponse, status: int, slug: str) -> dict[str, Any]:
    """The answer is a problem document of this kind; returns it."""
    assert response.status_code == status, response.text
    assert response.mimetype == "application/problem+json"
    problem: dict[str, Any] = response.get_json()
    assert problem["type"] == f"/problems/{slug}"
    assert problem["status"] == status
    assert problem["request_id"] == response.headers["X-Request-ID"]
    return problem
