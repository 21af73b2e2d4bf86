"""The application, in a version that cannot be loaded once a certain file is in its folder."""

from stockroom.config import load_settings
from wsgi import app

__all__ = ["app"]

if (load_settings().instance_path / "unloadable").exists():
    raise ImportError("not this version")
