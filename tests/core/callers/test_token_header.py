"""Who stands behind a token is asked anew before it is too old to be told."""

import time

from flask import Flask

from stockroom.core.callers.token_header import token_finder
from tests.factories.users import make_user, token_for


def test_of_those_who_may_not_ask_one_is_told_that_it_is_due(app: Flask) -> None:
    token = token_for(app, make_user(app))
    with app.app_context():
        finder = token_finder()
        assert finder.find_recent(token, may_ask=False) is None
        caller = finder.find(token)
        assert caller is not None

        def seen(age: float) -> list[bool]:
            finder.verified(token).standing = (caller, time.monotonic() - age)
            return [finder.find_recent(token, may_ask=False) == caller for _ in range(3)]

        assert seen(0.0) == [True, True, True]
        assert seen(0.7) == [False, True, True]
        assert finder.find_recent(token) == caller
        assert seen(0.7) == [False, True, True]
        assert seen(1.5) == [False, False, False]
