"""Errors as problem documents, and the pages that explain them."""

from collections.abc import Callable
from http import HTTPStatus

import pytest
from flask import Flask, abort

from stockroom.core import errors
from stockroom.core.http.http_problems import HTTP_PROBLEM_BY_SLUG
from stockroom.core.http.problems import status_of
from tests.api import Api, assert_problem

SLUGS = sorted({*errors._by_slug, *HTTP_PROBLEM_BY_SLUG})  # noqa: SLF001 - all that are known


def failing_app(make_app: Callable[..., Flask], error: Exception) -> Api:
    """An application with a view that raises ``error`` at ``/api/v1/fail``."""
    app = make_app()

    @app.get("/api/v1/fail")
    def fail() -> str:
        raise error

    return Api(app)


@pytest.mark.parametrize(
    ("kind", "status"),
    [
        (errors.BadRequest, 400),
        (errors.Unauthenticated, 401),
        (errors.PermissionDenied, 403),
        (errors.NotFound, 404),
        (errors.Conflict, 409),
        (errors.PreconditionFailed, 412),
        (errors.PreconditionRequired, 428),
        (errors.Unavailable, 503),
    ],
)
def test_each_kind_of_domain_error_has_its_status(
    make_app: Callable[..., Flask], kind: type[errors.DomainError], status: int
) -> None:
    problem = assert_problem(
        failing_app(make_app, kind("Because.")).get("/fail"), status, kind.slug
    )
    assert (problem["title"], problem["detail"]) == (kind.title, "Because.")


def test_every_domain_error_has_a_status() -> None:
    for kind in errors._by_slug.values():  # noqa: SLF001 - all that are known
        assert isinstance(status_of(kind), HTTPStatus)


def test_invalid_input_names_each_field(make_app: Callable[..., Flask]) -> None:
    api = failing_app(make_app, errors.InvalidInput({"name": ["Too long."]}))
    problem = assert_problem(api.get("/fail"), 422, "validation-error")
    assert problem["errors"] == {"name": ["Too long."]}


def test_a_bug_is_a_500_that_tells_nothing(make_app: Callable[..., Flask]) -> None:
    response = failing_app(make_app, RuntimeError("SELECT secret FROM vault")).get("/fail")
    assert_problem(response, 500, "internal-error")
    for word in ("secret", "SELECT", "Traceback", "RuntimeError"):
        assert word not in response.text


@pytest.mark.parametrize("status", [406, 408, 411, 414, 416, 418, 429, 431, 501, 502, 505])
def test_http_statuses_of_no_domain_error_are_problems_with_a_page(
    make_app: Callable[..., Flask], status: int
) -> None:
    app = make_app()
    app.add_url_rule("/api/v1/fail", "fail", lambda: abort(status))
    response = Api(app).get("/fail")
    assert response.status_code == status
    assert response.mimetype == "application/problem+json"
    page = app.test_client().get(response.get_json()["type"])
    assert page.status_code == 200
    assert str(status) in page.text


def test_a_refusal_with_words_of_its_own_keeps_them(make_app: Callable[..., Flask]) -> None:
    app = make_app()
    app.add_url_rule("/api/v1/fail", "fail", lambda: abort(404, "No such shelf."))
    assert assert_problem(Api(app).get("/fail"), 404, "not-found")["detail"] == "No such shelf."


def test_an_unknown_address_is_a_404(nobody: Api) -> None:
    assert_problem(nobody.get("/nowhere"), 404, "not-found")


def test_an_unknown_method_is_a_405_that_lists_those_there_are(nobody: Api) -> None:
    response = nobody.request("PATCH", "/auth/login", json={})
    assert_problem(response, 405, "method-not-allowed")
    assert set(response.headers["Allow"].split(", ")) == {"OPTIONS", "POST"}


def test_a_method_that_does_not_exist_is_a_405(nobody: Api) -> None:
    assert_problem(nobody.request("BREW", "/products"), 405, "method-not-allowed")


def test_a_401_says_how_to_authenticate(nobody: Api) -> None:
    response = nobody.get("/users/me")
    assert_problem(response, 401, "unauthenticated")
    assert response.headers["WWW-Authenticate"].startswith("Bearer")


def test_a_503_says_when_to_try_again(make_app: Callable[..., Flask]) -> None:
    response = failing_app(make_app, errors.Unavailable()).get("/fail")
    assert int(response.headers["Retry-After"]) > 0


def test_a_problem_answers_head_without_a_body(nobody: Api) -> None:
    response = nobody.request("HEAD", "/users/me")
    assert (response.status_code, response.data) == (401, b"")


@pytest.mark.parametrize("slug", SLUGS)
def test_every_known_problem_has_a_page(app: Flask, slug: str) -> None:
    response = app.test_client().get(f"/problems/{slug}")
    assert response.status_code == 200
    assert response.mimetype == "text/html"
    assert slug in response.text
    assert "`" not in response.text


@pytest.mark.parametrize("slug", ["nothing", "<script>alert(1)</script>", "%00", "%F0%9F%92%A3"])
def test_an_unknown_problem_has_no_page(app: Flask, slug: str) -> None:
    response = app.test_client().get(f"/problems/{slug}")
    assert response.status_code == 404
    assert "<script>" not in response.text


def test_the_page_of_a_domain_error_is_its_docstring(app: Flask) -> None:
    page = app.test_client().get("/problems/refresh-token-reused")
    assert "somebody else may have it" in page.text


def test_what_clients_send_and_read_stands_out_on_the_pages(app: Flask) -> None:
    page = app.test_client().get("/problems/events-expired")
    assert "go on from <code>last_position</code>, which" in page.text
