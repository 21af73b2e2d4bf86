from collections.abc import Iterator
from itertools import islice

from flask import Response

from stockroom.core.api import Blueprint
from stockroom.core.http.operations import header_references
from stockroom.core.http.streaming import started
from stockroom.core.permissions import Permission
from stockroom.transfers.exports import export_products
from stockroom.transfers.formats import Format
from stockroom.transfers.schemas import ExportQuery

LINES_A_BLOCK = 500

blueprint = Blueprint(
    "transfers", __name__, url_prefix="/products", description="Imports and exports of files."
)


@blueprint.get("/export")
@blueprint.allow(Permission.CATALOGUE_EXPORT)
@blueprint.arguments(ExportQuery, location="query")
@blueprint.response(
    200,
    {"type": "string"},
    content_type=Format.CSV.media_type,
    headers=header_references(["Content-Disposition"]),
)
@blueprint.alt_response(
    200, schema={"type": "string"}, content_type=Format.NDJSON.media_type, success=True
)
def export(query: dict[str, Format]) -> Response:
    """Export the products that are not archived, as a file that can be imported again."""
    kind = query["format"]
    response = Response(started(_blocks(export_products(kind))), mimetype=kind.media_type)
    response.headers["Content-Disposition"] = f'attachment; filename="products.{kind}"'
    return response


def _blocks(lines: Iterator[bytes]) -> Iterator[bytes]:
    """The lines some hundred at a time: each block that is sent costs the server a call."""
    while block := b"".join(islice(lines, LINES_A_BLOCK)):
        yield block
