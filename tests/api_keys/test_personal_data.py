"""What is kept on a person's keys: told in the export, forgotten with the account."""

from flask import Flask
from sqlalchemy import func, select

from stockroom.api_keys.models import ApiKey
from stockroom.core.transaction import reading
from stockroom.users import service as users
from tests.api import Api
from tests.factories.api_keys import make_key
from tests.factories.users import make_user, token_for


def test_the_export_lists_keys_without_their_secrets(app: Flask) -> None:
    user = make_user(app)
    issued = make_key(app, user)
    answer = Api(app, token_for(app, user)).get("/users/me/export")
    (exported,) = answer.get_json()["parts"]["api_keys"]
    assert (exported["id"], exported["name"]) == (str(issued.api_key.id), "Till 3")
    assert issued.key not in answer.text
    assert issued.api_key.digest not in answer.text


def test_the_keys_go_with_the_account(app: Flask) -> None:
    leaving, staying = make_user(app), make_user(app)
    for user in (leaving, leaving, staying):
        make_key(app, user)
    with app.app_context():
        users.remove(leaving.id)
        with reading() as session:
            owners = session.scalars(select(ApiKey.user_id)).all()
            assert session.scalar(select(func.count()).select_from(ApiKey)) == 1
    assert owners == [staying.id]
