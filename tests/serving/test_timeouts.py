"""gunicorn's processes have their statements cut off."""

import json
from functools import partial

import pytest
from sqlalchemy import select

from stockroom.core.permissions import Role
from stockroom.core.transaction import transaction
from stockroom.products.models import Product
from tests.api import tag_of
from tests.contract.conftest import OpenSite
from tests.contract.web import request
from tests.factories.products import make_product
from tests.factories.users import make_user, token_for
from tests.threads import elsewhere


@pytest.mark.heavy
def test_a_change_of_what_somebody_holds_is_given_up(open_site: OpenSite) -> None:
    with open_site(database_statement_timeout_seconds=0.5) as site:
        product = make_product(site.app)
        path = f"/api/v1/products/{product.id}"
        headers = {
            "Authorization": f"Bearer {token_for(site.app, make_user(site.app, role=Role.STAFF))}",
            "Content-Type": "application/json",
            "If-Match": tag_of(path, 1),
        }
        change = request("PATCH", path, json.dumps({"name": "New"}).encode(), headers)
        with site.app.app_context(), transaction() as holder:
            holder.execute(select(Product.id).where(Product.id == product.id).with_for_update())
            answer = elsewhere(partial(site.web.send, change))
        assert (answer.status, answer.headers["retry-after"]) == (503, "5")
