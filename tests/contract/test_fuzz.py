"""Every operation against schemathesis: the server does what its document says, and no more."""

from collections.abc import Iterator

import pytest
from flask import Flask
from schemathesis import Case

from tests.contract import fuzzing

APPLICATION = fuzzing.Application()
SCHEMA = fuzzing.load(APPLICATION, max_examples=4)


@pytest.fixture(autouse=True)
def served(app: Flask) -> Iterator[None]:
    APPLICATION.flask = app
    with fuzzing.streams_that_end(app):
        yield


@SCHEMA.parametrize()
def test_the_server_does_what_its_document_says(case: Case) -> None:
    fuzzing.call(case, APPLICATION.flask)
