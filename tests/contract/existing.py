"""What a fuzzed path leads to: one thing of each kind, made for the request."""

from collections.abc import Callable

from flask import Flask

from stockroom.api_keys import service as api_keys
from stockroom.auth import service as auth
from stockroom.auth.sessions import Device
from stockroom.core.pagination import PageRequest
from stockroom.core.permissions import Caller, Permission
from stockroom.stock import locations
from stockroom.users.models import User
from stockroom.webhooks import deliveries
from stockroom.webhooks import service as webhooks
from tests.factories.products import make_product
from tests.factories.stock import make_reservation
from tests.factories.users import PASSWORD, make_user

A_CURRENCY_WITH_ALL_DECIMALS = "KWD"
# An address that needs no DNS. Nothing is sent there: no job runs in these tests.
A_PUBLIC_URL = "https://93.184.216.34/hook"


def _product_id(app: Flask, _user: User) -> str:
    return str(make_product(app, price="9", currency=A_CURRENCY_WITH_ALL_DECIMALS).id)


def _session_id(app: Flask, user: User) -> str:
    with app.app_context():
        grant = auth.log_in(user.email, PASSWORD, Device(None, None))
    return str(grant.session_id)


def _key_id(app: Flask, user: User) -> str:
    with app.app_context():
        caller = Caller(user.id, user.role)
        return str(api_keys.create(caller, "fuzz", [Permission.ACCOUNT_OWN]).api_key.id)


def _location_id(app: Flask) -> str:
    with app.app_context():
        return str(locations.search(PageRequest()).items[0].id)


def _reservation_id(app: Flask, user: User) -> str:
    product = make_product(app, stock=10)
    return str(make_reservation(app, product.id, user=user).id)


def _webhook_id(app: Flask) -> str:
    """Of a webhook that has one delivery."""
    with app.app_context():
        webhook_id = webhooks.create({"url": A_PUBLIC_URL, "events": ["*"]}).id
        deliveries.send_test(webhook_id)
    return str(webhook_id)


def _newest_delivery_id(app: Flask) -> str:
    with app.app_context():
        newest = webhooks.search({}, PageRequest(limit=1)).items[0]
        return str(deliveries.search(newest.id, PageRequest()).items[0].id)


EXISTING: dict[str, Callable[[Flask, User], str]] = {
    "key_id": _key_id,
    "location_id": lambda app, _user: _location_id(app),
    "product_id": _product_id,
    "reservation_id": _reservation_id,
    "session_id": _session_id,
    "sku": lambda app, _user: make_product(app).sku,
    "delivery_id": lambda app, _user: _newest_delivery_id(app),
    "user_id": lambda app, _user: str(make_user(app).id),
    "webhook_id": lambda app, _user: _webhook_id(app),
}
