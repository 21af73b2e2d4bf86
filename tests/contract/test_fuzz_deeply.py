"""The same as ``test_fuzz`` for longer: with other data each time, at every bound, in sequences."""

from collections.abc import Iterator
from typing import Any

import pytest
from flask import Flask
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import Case, GenerationMode, Response
from schemathesis.specs.openapi.schemas import OpenApiSchema

from stockroom.core.permissions import Role
from stockroom.extensions import db
from tests.contract import fuzzing
from tests.factories.users import make_user
from tests.servers import empty_tables

pytestmark = pytest.mark.heavy

DEEPLY = settings(
    max_examples=60,
    stateful_step_count=8,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)


@pytest.fixture
def document(app: Flask) -> Iterator[OpenApiSchema]:
    with fuzzing.streams_that_end(app):
        yield fuzzing.load(app, max_examples=DEEPLY.max_examples, anew=True)


@pytest.mark.parametrize("mode", list(GenerationMode))
@pytest.mark.parametrize("operation_id", fuzzing.operation_ids())
def test_the_server_does_what_its_document_says_at_length(
    app: Flask, document: OpenApiSchema, operation_id: str, mode: GenerationMode
) -> None:
    operation = document.find_operation_by_id(operation_id)

    @DEEPLY
    @given(case=operation.as_strategy(generation_mode=mode))
    def call(case: Case) -> None:
        fuzzing.call(case, app)

    try:
        call()
    except Unsatisfiable:
        pytest.skip("takes nothing that could be wrong")


@pytest.mark.parametrize("operation_id", fuzzing.operation_ids())
def test_the_server_does_what_its_document_says_at_every_bound(
    app: Flask, document: OpenApiSchema, operation_id: str
) -> None:
    operation = document.find_operation_by_id(operation_id)
    cases = document.iter_coverage_cases(
        operation,
        generation_modes=list(GenerationMode),
        generation_config=document.config.generation_for(operation=operation),
    )
    for case in cases:
        fuzzing.call(case, app)


def test_answers_fit_together_from_one_request_to_the_next(
    app: Flask, document: OpenApiSchema
) -> None:
    class Client(document.as_state_machine()):  # type: ignore[misc]
        def setup(self) -> None:
            # Hypothesis relies on it that the same steps have the same outcome each time.
            with app.app_context():
                empty_tables(db.engine)

        def before_call(self, case: Case) -> None:
            fuzzing.forget_failures(app)
            fuzzing.make_acceptable(case, app)

        def get_call_kwargs(self, _case: Case) -> dict[str, Any]:
            # An earlier step may have removed the account that made it.
            return {"headers": fuzzing.authorization(app, make_user(app, role=Role.ADMIN))}

        def validate_response(self, response: Response, case: Case, **kwargs: Any) -> None:
            # Named as headers, they tell the check `ignored_auth` that these credentials are real.
            case.validate_response(response, headers=kwargs["headers"], transport_kwargs=kwargs)

    Client.run(settings=DEEPLY)
