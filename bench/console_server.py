"""The console as a process of its own, over the store of a folder: it says its port, and ends with its input."""

from __future__ import annotations

import sys
from pathlib import Path

from bench.atlas import window_of
from bench.child import say
from controller import bootstrap
from controller.settings import Settings
from controller.web import create_app
from controller.web.server import serve


def main(folder: str, url: str) -> None:
    """Serve the store in ``folder``, or that of ``url``, until standard input ends."""
    settings = Settings(state_dir=Path(folder), database_url=url) if url else Settings(state_dir=Path(folder))
    store = bootstrap.open_store(settings)
    server = serve(create_app(window_of(settings, store)), "127.0.0.1", 0)
    say(port=server.port)
    sys.stdin.read()
    server.stop()
    store.close()


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2] if len(sys.argv) > 2 else "")
