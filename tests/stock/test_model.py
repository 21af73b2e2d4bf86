"""Whatever is done to stock in whatever order: it stays what a plain model says."""

import pytest
from flask import Flask
from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.factories.stock import make_location
from tests.factories.users import make_user
from tests.stock.machine import StockMachine

# It goes the same ways a thousand times.

RUNS = [(6, 25), pytest.param((100, 50), marks=pytest.mark.heavy(minutes=4))]


@pytest.mark.parametrize("runs", RUNS, ids=str)
def test_stock_and_model_agree_after_every_act(app: Flask, runs: tuple[int, int]) -> None:
    make_location(app, "shop")
    buyer = make_user(app).id
    examples, steps = runs
    run_state_machine_as_test(  # type: ignore[no-untyped-call]
        lambda: StockMachine(app, buyer),
        settings=settings(
            max_examples=examples,
            stateful_step_count=steps,
            suppress_health_check=[HealthCheck.too_slow],
        ),
    )
