"""The application factory."""

from flask import Flask

from stockroom import features, storage
from stockroom.auth import identity as auth_identity
from stockroom.config import Settings, load_settings
from stockroom.core import cache, health, logging, metrics
from stockroom.core.context import bind_settings
from stockroom.core.doctor import doctor
from stockroom.core.hot_reads import fast_path
from stockroom.core.hot_reads import reads as hot_reads
from stockroom.core.http import docs, edge, etags, problems
from stockroom.core.http.application import Application
from stockroom.core.http.openapi import Api
from stockroom.core.http.routing import TextConverter
from stockroom.core.limits import requests as limits
from stockroom.core.reencryption import secrets_commands
from stockroom.features import FEATURES
from stockroom.serve import serve

API_PREFIX = "/api/v1"


def create_app(settings: Settings | None = None) -> Flask:
    """A Stockroom application, ready to serve or to run commands.

    :param settings: read from the environment if not given.
    :raises ConfigurationError: if the settings cannot be run safely.
    """
    settings = settings or load_settings()
    app = _configured(settings)
    storage.init_app(app, settings)
    _bind_extensions(app, settings)
    _register_features(app)
    app.cli.add_command(doctor)
    app.cli.add_command(secrets_commands)
    app.cli.add_command(serve)
    return app


def _configured(settings: Settings) -> Flask:
    app = Application(__name__, instance_path=str(settings.instance_path.resolve()))
    app.config["SECRET_KEY"] = settings.secret_key
    app.json.sort_keys = False  # type: ignore[attr-defined]  # the default provider has it
    app.config["TESTING"] = settings.environment == "testing"
    # A SKU may begin with a slash, or hold two in a row; an address is taken as it is sent.
    app.url_map.merge_slashes = False
    app.url_map.converters["text"] = TextConverter
    bind_settings(app.extensions, settings)
    logging.configure(settings)
    return app


def _bind_extensions(app: Flask, settings: Settings) -> None:
    """In the order in which they see a request; answers pass them in reverse."""
    hot_reads.init_app(app)
    fast_path.init_app(app, settings)
    edge.init_app(app, settings)
    limits.init_app(app, settings)
    etags.init_app(app)
    cache.init_app(app, settings)
    auth_identity.init_app(app, settings)
    problems.init_app(app)
    health.init_app(app)
    metrics.init_app(app)


def _register_features(app: Flask) -> None:
    api = Api(app)
    features.bind(app)
    for feature in FEATURES:
        if feature.routes:
            url_prefix = f"{API_PREFIX}{feature.routes.url_prefix}"
            api.register_blueprint(feature.routes, url_prefix=url_prefix)
        for command in feature.commands:
            app.cli.add_command(command)
    docs.init_app(app, api)
