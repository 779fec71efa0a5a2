"""A PostgreSQL to measure on: a server of our own, only on loopback, in a folder that is gone afterwards."""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg

NOT_INSTALLED = "PostgreSQL is not installed here, so it was not measured"
START_SECONDS = 60.0


@contextmanager
def server() -> Iterator[str | None]:
    """The URL of an empty database; None where PostgreSQL is not installed. Its settings are the usual ones."""
    programs = _programs()
    if programs is None:
        yield None
        return
    folder = Path(tempfile.mkdtemp(prefix="loa-bench-postgres-"))
    lowly = _unprivileged(folder)
    data, port = folder / "data", _free_port()
    made = [*lowly, str(programs / "initdb"), "-D", str(data), "-U", "loa", "-A", "trust", "-E", "UTF8", "--no-locale"]
    subprocess.run(made, check=True, capture_output=True, cwd=folder)
    command = [*lowly, str(programs / "postgres"), "-D", str(data), "-p", str(port), "-h", "127.0.0.1", "-k", ""]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log, cwd=folder)
    url = f"postgresql://loa@127.0.0.1:{port}/postgres"
    try:
        _wait_until_it_answers(url)
        yield url
    finally:
        process.terminate()
        process.wait()
        shutil.rmtree(folder, ignore_errors=True)


def _programs() -> Path | None:
    debian = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    on_path = shutil.which("initdb")
    found = [*([Path(on_path)] if on_path else []), *debian]
    return found[-1].resolve().parent if found else None


def _unprivileged(folder: Path) -> list[str]:
    """What to put before a command, since PostgreSQL refuses to run as root; ``folder`` becomes that user's."""
    if os.geteuid() != 0:
        return []
    user = pwd.getpwnam("postgres")
    os.chown(folder, user.pw_uid, user.pw_gid)
    return ["setpriv", f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--clear-groups", "--"]


def _wait_until_it_answers(url: str) -> None:
    until = time.monotonic() + START_SECONDS
    while True:
        try:
            psycopg.connect(url, connect_timeout=5).close()
        except psycopg.OperationalError:
            if time.monotonic() > until:
                raise
            time.sleep(0.05)
        else:
            return


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
