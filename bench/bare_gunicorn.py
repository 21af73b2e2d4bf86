"""How gunicorn serves the ceilings: as it serves the application, whose companion they lack."""

from pathlib import Path
from runpy import run_path

_settings = run_path(str(Path(__file__).parents[1] / "gunicorn.conf.py"))
_hooks = {"post_worker_init", "worker_exit"}
globals().update({name: value for name, value in _settings.items() if name not in _hooks})
