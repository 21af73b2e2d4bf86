"""Without its Redis, and while others write or read."""

import pytest
from flask import Flask

from stockroom.core.cache import answer, changed, memory
from stockroom.core.memory import Answer
from stockroom.core.transaction import transaction
from stockroom.embedded.redis import EmbeddedRedis
from tests.api import Api
from tests.core.cache.shops import THINGS, MakeApp, is_kept, rename_unseen, staff_of
from tests.factories.products import make_product
from tests.threads import until


def test_without_its_redis_a_shop_goes_by_its_own_memory(
    app: Flask, redis: EmbeddedRedis, make_shop: MakeApp
) -> None:
    shop = make_shop()
    path = f"/products/{make_product(app).id}"
    Api(shop).get(path)
    redis.stop()
    until(lambda: is_kept(app, Api(shop), path))
    name = rename_unseen(app)
    until(lambda: name in Api(shop).get(path).text)
    changed_name = staff_of(app, shop).patch(path, json={"name": "Cup"}, if_match="*")
    assert changed_name.status_code == 200
    assert Api(shop).get(path).get_json()["name"] == "Cup"


def test_a_redis_that_is_back_is_used_again(
    app: Flask, redis: EmbeddedRedis, make_shop: MakeApp
) -> None:
    shop = make_shop()
    path = f"/products/{make_product(app).id}"
    redis.stop()
    Api(shop).get(path)
    redis.start()
    until(lambda: is_kept(app, Api(shop), path))


def test_an_answer_from_before_a_write_is_never_told_after_it(shop: Flask) -> None:
    def overtaken() -> Answer:
        with transaction() as session:
            changed(session)
        return Answer(b"from before the write", "1")

    with shop.app_context():
        answer(THINGS, overtaken)
        after = answer(THINGS, lambda: Answer(b"from after the write", "2"))
    assert after.body == b"from after the write"


def test_a_write_that_fails_leaves_kept_answers_alone(shop: Flask) -> None:
    def fail() -> None:
        with transaction() as session:
            changed(session)
            raise ZeroDivisionError

    def is_unmoved() -> bool:
        answer(THINGS, lambda: Answer(b"kept", "1"))
        with pytest.raises(ZeroDivisionError):
            fail()
        return answer(THINGS, lambda: Answer(b"new", "2")).body == b"kept"

    with shop.app_context():
        until(is_unmoved)


def test_a_reader_does_not_wait_for_ever_for_another_one(app: Flask) -> None:
    with app.app_context(), memory().turn(THINGS):
        assert answer(THINGS, lambda: Answer(b"read all the same", "1")).body
