"""Where a passphrase comes from: a file named at the start, systemd's credential, a person at the terminal, only.

- Never an argument, never the environment itself: other users of the machine can read both.
"""

from __future__ import annotations

import getpass
import os
import sys
from pathlib import Path

CREDENTIAL = "loa-keys"  # LoadCredentialEncrypted=loa-keys:…
FOLDER = "CREDENTIALS_DIRECTORY"  # set by systemd
MOST_BYTES = 4096


_named: list[Path] = []  # by the start of this process


def name_file(path: Path | None) -> None:
    """Let the passphrase be the first line of that file, from now on, in this process."""
    _named[:] = [path] if path else []


def from_credential(name: str = CREDENTIAL) -> str | None:
    """The first line of the file that was named, or of systemd's credential; None where there is none.

    Raises OSError.
    """
    if _named:
        return _first_line(_named[0])
    folder = os.environ.get(FOLDER)
    if not folder:
        return None
    try:
        return _first_line(Path(folder) / name)
    except FileNotFoundError:
        return None


def _first_line(path: Path) -> str | None:
    with path.open("rb") as file:
        lines = file.read(MOST_BYTES).decode("utf-8", "replace").splitlines()
    return lines[0] if lines else None


def asked(prompt: str) -> str | None:
    """What a person typed unseen, None where nobody sits at a terminal."""
    if not sys.stdin.isatty():
        return None
    try:
        return getpass.getpass(prompt)
    except (EOFError, KeyboardInterrupt):
        return None
