"""A text that is far too long costs its sender's time, not everybody's: it is measured first.

To normalise a million combining marks takes half a minute, in which the process does nothing else.
"""

import json
from collections.abc import Iterator
from time import process_time

import pytest
from marshmallow import ValidationError, fields

from stockroom.core.addresses import likely_address
from stockroom.core.fields import Email, Text
from stockroom.users.fields import Password
from tests.api import Api, assert_problem

MARKS = "a" + "\u0301\u0327" * 200_000


@pytest.fixture(autouse=True)
def at_once() -> Iterator[None]:
    """No test here needs a second of the processor; each took five and more."""
    began = process_time()
    yield
    assert process_time() - began < 1


@pytest.mark.parametrize("field", [Text(200), Text(20_000, lines=True), Email(), Password()])
@pytest.mark.parametrize("text", [MARKS, f"{MARKS}@example.com", f"ada@{MARKS}.example"])
def test_what_is_too_long_is_not_normalised(field: fields.Field, text: str) -> None:
    with pytest.raises(ValidationError, match="Longer than"):
        field.deserialize(text)


def test_an_address_that_is_looked_up_is_not_normalised_either() -> None:
    assert likely_address(MARKS) == MARKS


@pytest.mark.parametrize(
    ("path", "body"),
    [("/auth/login", {"email": "ada@example.com", "password": MARKS}),
     ("/auth/login", {"email": MARKS, "password": "something good"}),
     ("/auth/register", {"email": "ada@example.com", "password": "fine", "full_name": MARKS}),
     ("/auth/password/forgot", {"email": MARKS})],
)  # fmt: skip
def test_a_request_full_of_marks_is_refused(nobody: Api, path: str, body: dict[str, str]) -> None:
    # A megabyte as it is; with JSON's escapes it would be too large to be looked at.
    data = json.dumps(body, ensure_ascii=False)
    sent = nobody.post(path, data=data.encode(), content_type="application/json")
    assert_problem(sent, 422, "validation-error")
