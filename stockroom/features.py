"""The registry of features: one line each, in the order of their dependencies."""

from dataclasses import dataclass

from click import Command

import stockroom.auth.cli
import stockroom.transfers.cli  # noqa: F401 - both join the commands of a feature below them
from stockroom.auth.routes import blueprint as auth_routes
from stockroom.core.api import Blueprint
from stockroom.products.cli import products_commands
from stockroom.products.routes import blueprint as product_routes
from stockroom.transfers.routes import blueprint as transfer_routes
from stockroom.users.cli import users_commands
from stockroom.users.routes import blueprint as user_routes


@dataclass(frozen=True, slots=True)
class Feature:
    """What a feature adds to the application."""

    routes: Blueprint
    commands: tuple[Command, ...] = ()


FEATURES = (
    Feature(user_routes, (users_commands,)),
    Feature(auth_routes),
    Feature(product_routes, (products_commands,)),
    Feature(transfer_routes),
)
