"""What is wanted of a broker, whichever it is."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Access:
    """Who may do what: rules from `topics.access_rules`, and the password of every user in them."""

    rules: str
    passwords: Mapping[str, str]


@dataclass(frozen=True)
class Wanted:
    """Where a broker shall listen, the folder that is its own, and who may use it (None: whoever reaches it)."""

    host: str
    port: int
    folder: Path
    group: int | None  # who, beside us, reads what is secret
    access: Access | None = None

    def write(self, name: str, text: str, *, secret: bool = False) -> None:
        """Write a settings file that the broker can read and not change. Raises OSError."""
        path = self.folder / name
        path.unlink(missing_ok=True)
        opened = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o640 if secret else 0o644)
        with os.fdopen(opened, "w", encoding="utf-8") as file:
            file.write(text)
            if self.group is not None:
                os.fchown(file.fileno(), -1, self.group)
            os.fchmod(file.fileno(), 0o640 if secret else 0o644)
