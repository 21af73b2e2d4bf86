"""The clients in docs/realtime.md, as scripts of a web page."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

from stockroom.config import ROOT

BLOCKS = {
    name: text
    for text, name in re.findall(
        r"```(?:js|python)\n((?://|#) (\S+)\n.*?)```",
        (ROOT / "docs" / "realtime.md").read_text(encoding="utf-8"),
        re.DOTALL,
    )
}
"""What stands in the page's blocks, by the names in their first lines."""


class _Pages(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        """The tests have enough to say."""


@contextmanager
def served_pages(folder: Path) -> Iterator[str]:
    """The origin at which the folder is served, with the scripts in it."""
    (folder / "index.html").write_text("<!doctype html><title>Shop</title>")
    for name, text in BLOCKS.items():
        (folder / name).write_text(text)
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(_Pages, directory=folder)) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()
