"""``flask stock``, as an operator types it."""

from click.testing import Result
from flask import Flask


def stock(app: Flask, *arguments: object) -> Result:
    return app.test_cli_runner().invoke(args=["stock", *map(str, arguments)])
