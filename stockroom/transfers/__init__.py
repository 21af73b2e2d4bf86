"""What carries the catalogue in and out: imports and exports of files."""
