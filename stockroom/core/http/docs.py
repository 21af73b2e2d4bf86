"""The OpenAPI document, and Swagger UI served from the application itself."""

from importlib.resources import files
from pathlib import Path

from flask import (
    Blueprint,
    Flask,
    Response,
    current_app,
    make_response,
    render_template,
    send_from_directory,
)

from stockroom.core.http.openapi import Api

blueprint = Blueprint(
    "docs",
    __name__,
    template_folder="templates",
    static_folder="static",
    static_url_path="/docs/static",
)

_ASSETS = Path(str(files("flask_swagger_ui"))) / "dist"
# Swagger UI's style sheet holds its pictures, as data.
_PAGE_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; form-action 'none'; base-uri 'none'; frame-ancestors 'none'"
)


def init_app(app: Flask, api: Api) -> None:
    """Serve the document as it stands once all blueprints are registered."""
    app.extensions["stockroom.openapi"] = api
    app.register_blueprint(blueprint)


@blueprint.get("/openapi.json")
def openapi_document() -> Response:
    response = make_response(current_app.extensions["stockroom.openapi"].text)
    response.mimetype = "application/json"
    return response


@blueprint.get("/docs")
def swagger_ui() -> Response:
    response = make_response(render_template("docs.html"))
    response.headers["Content-Security-Policy"] = _PAGE_POLICY
    return response


@blueprint.get("/docs/assets/<path:name>")
def asset(name: str) -> Response:
    return send_from_directory(_ASSETS, name, max_age=86400)
