"""The problems that come from HTTP itself rather than from a domain error."""

import re
from dataclasses import dataclass
from http import HTTPStatus


@dataclass(frozen=True, slots=True)
class HttpProblem:
    """What a status means here.

    :ivar slug: the last part of the problem's ``type``.
    :ivar explanation: the text of its page, and its detail where there is nothing to add.
    """

    status: HTTPStatus
    slug: str
    title: str
    explanation: str


INTERNAL_ERROR = HttpProblem(
    HTTPStatus.INTERNAL_SERVER_ERROR,
    "internal-error",
    "Internal error",
    "Something went wrong on our side. Quote the request_id when you report it.",
)

HTTP_PROBLEMS = (
    HttpProblem(
        HTTPStatus.BAD_REQUEST,
        "bad-request",
        "The request cannot be read",
        "The body is not valid UTF-8 JSON, or the request breaks the protocol it follows.",
    ),
    HttpProblem(
        HTTPStatus.NOT_FOUND,
        "not-found",
        "Not found",
        "Nothing is stored under this address, or you may not know of it.",
    ),
    HttpProblem(
        HTTPStatus.METHOD_NOT_ALLOWED,
        "method-not-allowed",
        "Method not allowed",
        "This address exists, but not with this method. Allow lists those it has.",
    ),
    HttpProblem(
        HTTPStatus.NOT_ACCEPTABLE,
        "not-acceptable",
        "Not acceptable",
        "There is no representation of the kind that Accept asks for.",
    ),
    HttpProblem(
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
        "body-too-large",
        "The body is too large",
        "Send less at once: the body is larger than this server takes.",
    ),
    HttpProblem(
        HTTPStatus.REQUEST_URI_TOO_LONG,
        "address-too-long",
        "The address is too long",
        "Send a shorter address: path and query are longer than this server takes.",
    ),
    HttpProblem(
        HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
        "unsupported-media-type",
        "Unsupported media type",
        "Send the body in the media type that the OpenAPI document names, with its Content-Type.",
    ),
    HttpProblem(
        HTTPStatus.EXPECTATION_FAILED,
        "expectation-failed",
        "The expectation cannot be met",
        "The header Expect asks for something else than 100-continue.",
    ),
    HttpProblem(
        HTTPStatus.TOO_MANY_REQUESTS,
        "rate-limited",
        "Too many requests",
        "Wait as many seconds as Retry-After says, then go on more slowly.",
    ),
    HttpProblem(
        HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE,
        "headers-too-large",
        "The headers are too large",
        "Send fewer or shorter headers: they are larger than this server takes.",
    ),
    INTERNAL_ERROR,
    HttpProblem(
        HTTPStatus.NOT_IMPLEMENTED,
        "not-implemented",
        "Not implemented",
        "This server does not know the Transfer-Encoding that the request uses.",
    ),
)

_BY_STATUS = {problem.status: problem for problem in HTTP_PROBLEMS}


def http_problem(code: int) -> HttpProblem:
    """The problem for a status, made from the status itself if none is listed."""
    if known := _BY_STATUS.get(HTTPStatus(code)):
        return known
    status = HTTPStatus(code)
    slug = re.sub(r"[^a-z]+", "-", status.phrase.lower())
    return HttpProblem(status, slug, status.phrase, status.description or status.phrase)


HTTP_PROBLEM_BY_SLUG = {
    known.slug: known
    for known in map(http_problem, HTTPStatus)
    if known.status >= HTTPStatus.BAD_REQUEST
}
