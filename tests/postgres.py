"""A real PostgreSQL for the tests: Debian's programs, a private port, an unprivileged user, a throw-away folder."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path

import psycopg
from ports import free_port

USER = "loa"
INITIAL = ("-A", "trust", "-E", "UTF8", "--no-locale", "--no-sync")
ROOM_BYTES = 1 << 30


def find_programs() -> Path | None:
    """The folder with initdb and postgres, the newest version first; None where PostgreSQL is not installed."""
    debian = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    on_path = shutil.which("initdb")
    found = [*([Path(on_path)] if on_path else []), *debian]
    return found[-1].resolve().parent if found else None


class Postgres:
    """A running server; `database` makes a new empty database in it."""

    def __init__(self, programs: Path) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="loa-postgres-", dir=_in_memory()))
        self._as_user = _unprivileged(self._folder)
        self._made = 0
        data = self._folder / "data"
        subprocess.run(
            [*self._as_user, programs / "initdb", "-D", data, "-U", USER, *INITIAL],
            check=True,
            capture_output=True,
            cwd=self._folder,
        )
        self._port = free_port()
        options = {"port": self._port, "listen_addresses": "127.0.0.1", "unix_socket_directories": ""}
        options |= dict.fromkeys(("fsync", "synchronous_commit", "full_page_writes"), "off")  # no test cuts its power
        options |= {"min_wal_size": "32MB", "max_wal_size": "64MB"}
        settings = [part for name, value in options.items() for part in ("-c", f"{name}={value}")]
        with (self._folder / "log").open("wb") as log:
            self._server = subprocess.Popen(
                [*self._as_user, programs / "postgres", "-D", data, *settings],
                stdout=log,
                stderr=log,
                cwd=self._folder,
            )
        self._wait_until_it_answers()

    def url(self, database: str = "postgres") -> str:
        """The URL of one of its databases."""
        return f"postgresql://{USER}@127.0.0.1:{self._port}/{database}"

    def database(self) -> str:
        """The URL of a new, empty database."""
        url = self.another()
        with psycopg.connect(self.url(), autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {_name(url)}")
        return url

    def another(self) -> str:
        """The URL of a database that there is not yet."""
        self._made += 1
        return self.url(f"loa_{self._made}")

    def drop(self, url: str) -> None:
        """The database at ``url`` is no more, whoever is connected to it: each is hundreds of files."""
        with psycopg.connect(self.url(), autocommit=True) as connection:
            connection.execute(f"DROP DATABASE IF EXISTS {_name(url)} WITH (FORCE)")

    def copy(self, of: str, to: str) -> None:
        """Make the database at the URL ``to`` as the one at ``of`` is, to which nobody may be connected."""
        with psycopg.connect(self.url(), autocommit=True) as connection:
            self._wait_until(of, "backend_type <> 'client backend'")
            connection.execute(f"CREATE DATABASE {_name(to)} TEMPLATE {_name(of)} STRATEGY FILE_COPY")

    def wait_until_idle(self, url: str) -> None:
        """Until nothing is done in the database at ``url``: a killed client's last statement goes on for a while."""
        self._wait_until(url, "state = 'idle'")

    def _wait_until(self, url: str, of_each: str) -> None:
        deadline = time.monotonic() + 60
        asked = f"SELECT bool_and({of_each}) FROM pg_stat_activity WHERE datname = %s"
        with psycopg.connect(self.url(), autocommit=True) as connection:
            while connection.execute(asked, [_name(url)]).fetchone() == (False,):
                assert time.monotonic() < deadline, of_each
                time.sleep(0.02)

    def stop(self) -> None:
        """End the server at once and remove its folder."""
        self._server.send_signal(signal.SIGINT)
        try:
            self._server.wait(20)
        except subprocess.TimeoutExpired:
            self._server.kill()
            self._server.wait()
        shutil.rmtree(self._folder, ignore_errors=True)

    def _wait_until_it_answers(self) -> None:
        deadline = time.monotonic() + 180
        while True:
            try:
                psycopg.connect(self.url(), connect_timeout=5).close()
                return
            except psycopg.OperationalError:
                if time.monotonic() > deadline or self._server.poll() is not None:
                    raise RuntimeError((self._folder / "log").read_text()) from None
                time.sleep(0.05)


def _in_memory() -> Path | None:
    """A folder in memory with room for the few databases that stand at a time, if this machine has one."""
    memory = Path("/dev/shm")
    if not memory.is_dir() or not os.access(memory, os.W_OK):
        return None
    return memory if shutil.disk_usage(memory).free > ROOM_BYTES else None


def _name(url: str) -> str:
    return url.rpartition("/")[2]


def _unprivileged(folder: Path) -> list[str]:
    """What to put before a command so that it does not run as root, which PostgreSQL refuses; ``folder`` is its."""
    if os.geteuid() != 0:
        return []
    try:
        user = pwd.getpwnam("postgres")
    except KeyError:
        user = pwd.getpwnam("nobody")
    os.chown(folder, user.pw_uid, user.pw_gid)
    return ["setpriv", f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--clear-groups", "--"]
