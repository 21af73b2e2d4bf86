"""The commands on products, run as an operator types them."""

import json
from pathlib import Path
from typing import Any

from click.testing import Result
from flask import Flask

from tests.api import Api
from tests.products.walking import walk

HEADER = "sku,name,price"


def products(app: Flask, *arguments: object, **how: Any) -> Result:
    """Runs ``flask products …``."""
    return app.test_cli_runner().invoke(args=["products", *map(str, arguments)], **how)


def import_text(app: Flask, folder: Path, text: str, *options: object, kind: str = "csv") -> Result:
    """Imports a file that holds this text, and succeeds."""
    file = folder / f"products.{kind}"
    file.write_bytes(text.encode())
    result = products(app, "import", file, *options)
    assert result.exit_code == 0, result.output
    return result


def import_rows(app: Flask, folder: Path, *rows: dict[str, Any]) -> dict[str, Any]:
    """Imports these rows as NDJSON; returns the counts."""
    text = "".join(json.dumps(row) + "\n" for row in rows)
    return counts(import_text(app, folder, text, "--json", kind="ndjson"))


def counts(result: Result) -> dict[str, Any]:
    """What an import with ``--json`` has counted, without what is 0."""
    read: dict[str, Any] = json.loads(result.stdout)
    return {name: value for name, value in read.items() if value}


def skus(staff: Api) -> list[str]:
    """The SKUs of all products that are not archived, in their order."""
    return walk(staff, "/products?sort=sku&limit=200")
