"""Files of a shop's history, and what an import tells of them."""

import json
from pathlib import Path
from typing import Any

from flask import Flask

HEADER = "sku,kind,quantity,occurred_at,reference,location,to_location,reason"


HISTORY = f"""{HEADER}
MUG,received,10,2025-01-01T08:00:00Z,po 1,,,
MUG,shipped,3,2025-01-02T09:00:00Z,order 1,,,
mug,shipped,3,2025-01-02T09:00:00Z,order 1,,,
MUG,returned,1,2025-01-03T09:00:00Z,order 1,,,
MUG,adjusted,-1,,count 1,main,,broken
MUG,transferred,2,,van 1,,shop,
"""


def import_history(app: Flask, folder: Path, text: str, *options: str) -> Any:
    file = folder / "history.csv"
    file.write_text(text, encoding="utf-8")
    return app.test_cli_runner().invoke(args=["stock", "import", str(file), *options])


def told(app: Flask, folder: Path, text: str, *options: str) -> dict[str, Any]:
    result = import_history(app, folder, text, "--json", *options)
    assert result.exit_code == 0, result.output
    return {name: value for name, value in json.loads(result.stdout).items() if value}
