"""A program of another's making as our child: unprivileged, in its own folder, gone when we are gone.

- Linux ends it by itself when we die, even of kill -9 (`leash`); that promise hangs on the *thread* that started
  it, so a thread of its own starts it and then waits for its end.
- Its output goes to a file; `last_words` reads the end of it.
"""

from __future__ import annotations

import os
import pwd
import subprocess
import sys
import threading
from pathlib import Path

LEASH = Path(__file__).with_name("leash.py")
STOP_SECONDS = 30.0  # from asking it to end, to ending it


class Tethered:
    """One child process."""

    def __init__(self, command: list[str], folder: Path, user: str | None, output: Path) -> None:
        """``command`` will run in ``folder`` as ``user`` (None: as we are), once it is told to `start`."""
        self.output = output
        self._arguments = [sys.executable, "-I", "-S", str(LEASH), str(os.getpid()), str(folder), user or "-", *command]
        self._process: subprocess.Popen[bytes] | None = None
        self._failed: OSError | None = None
        self._started, self._ended = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._watch, name=f"tether-{Path(command[0]).name}", daemon=True)

    def start(self) -> None:
        """Start it. Raises OSError when it cannot be.

        Whoever holds it may `stop` it also when this was interrupted in the middle.
        """
        self._thread.start()
        self._started.wait()
        if self._failed is not None:
            raise self._failed

    @property
    def pid(self) -> int:
        """Its process id."""
        assert self._process is not None
        return self._process.pid

    @property
    def exit_code(self) -> int | None:
        """How it ended (negative: of which signal), None while it lives."""
        return self._process.returncode if self._process is not None and self._ended.is_set() else None

    def alive(self) -> bool:
        """Whether it runs."""
        return self._thread.ident is not None and not self._ended.is_set()

    def wait(self, most_seconds: float) -> bool:
        """Wait for its end; whether it has come."""
        return self._ended.wait(most_seconds)

    def stop(self) -> None:
        """Ask it to end; after half a minute end it. Returns when it has ended."""
        self.ask_to_end()
        if self.alive() and not self.wait(STOP_SECONDS):
            self.kill()

    def ask_to_end(self) -> None:
        """Ask it to end, and do not wait."""
        if self._runs():
            assert self._process is not None
            self._process.terminate()

    def kill(self) -> None:
        """End it at once, as a power cut would. Returns when it has ended."""
        if self._runs():
            assert self._process is not None
            self._process.kill()
            self._ended.wait()

    def last_words(self) -> str:
        """The last line that it said, or an empty string."""
        lines = self.output.read_text("utf-8", "replace").strip().splitlines() if self.output.exists() else []
        return lines[-1][-300:] if lines else ""

    def _runs(self) -> bool:
        """Whether there is a process to end; waits for one that is just being started."""
        return self.alive() and self._started.wait(STOP_SECONDS) and self._process is not None and self.alive()

    def _watch(self) -> None:
        try:
            with self.output.open("wb") as output:
                self._process = subprocess.Popen(
                    self._arguments, stdin=subprocess.DEVNULL, stdout=output, stderr=output, start_new_session=True
                )
        except OSError as failed:
            self._failed = failed
            self._ended.set()
            return
        finally:
            self._started.set()
        self._process.wait()
        self._ended.set()


def lowly_user(*wanted: str) -> str | None:
    """Whom a program started by root should be: the first of ``wanted`` that exists. None when we are not root."""
    if os.geteuid() != 0:
        return None
    return next((name for name in wanted if _exists(name)), None)


def own(folder: Path, user: str | None) -> None:
    """Make ``folder`` and all in it belong to ``user``. Raises OSError."""
    if user is None:
        return
    entry = pwd.getpwnam(user)
    if folder.stat().st_uid == entry.pw_uid:
        return
    for path in [*folder.rglob("*"), folder]:
        os.chown(path, entry.pw_uid, entry.pw_gid, follow_symlinks=False)


def _exists(user: str) -> bool:
    try:
        pwd.getpwnam(user)
    except KeyError:
        return False
    return True
