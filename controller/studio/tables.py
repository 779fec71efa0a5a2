"""A TOML table read strictly: each key of its kind and form, none that nobody knows."""

from __future__ import annotations

import math
import re
from pathlib import Path
from typing import Any

from controller.studio.voice import Trouble, VoiceError

MOST_NAMES = 100


class Table:
    """A table of the TOML ``file``; ``at`` is where in it, such as ``audio.``. What is asked for is taken as known."""

    def __init__(self, values: dict[str, Any], file: Path, at: str = "") -> None:
        self.file, self.at = file, at
        self._values, self._known = values, set[str]()

    def text(self, key: str, default: str | None = None, form: str = r"(?s).*") -> str:
        """The text at ``key``, which must be there without a ``default``, and match ``form`` whole."""
        found = self._take(key, default)
        if found == default and key not in self._values:
            return str(found)
        if not isinstance(found, str) or not re.fullmatch(form, found) or "\0" in found:
            raise wrong(self, key, form if len(form) < 40 and re.fullmatch(r"[\w|]+", form) else "text")
        return found

    def scalar(self, key: str, default: str | int | float) -> str | int | float:
        """Text or a number."""
        found = self._take(key, default)
        endless = isinstance(found, float) and not math.isfinite(found)
        if isinstance(found, bool) or not isinstance(found, str | int | float) or endless:
            raise wrong(self, key, "text | number")
        return found

    def number(self, key: str, default: float, low: float, high: float, *, whole: bool = False) -> float:
        """The number at ``key``, from ``low`` to ``high``."""
        found = self._take(key, default)
        kinds = (int,) if whole else (int, float)
        if isinstance(found, bool) or not isinstance(found, kinds) or not low <= found <= high:
            raise wrong(self, key, f"{low:g}-{high:g}")
        return found

    def list_of(self, key: str, form: str, default: list[str] | None = None) -> list[str]:
        """The texts or whole numbers of the list at ``key``, as texts that match ``form``."""
        found = self._take(key, default or [])
        if not isinstance(found, list) or len(found) > MOST_NAMES:
            raise wrong(self, key, "[…]")
        texts = [str(each) for each in found if isinstance(each, str | int) and not isinstance(each, bool)]
        if len(texts) < len(found) or not all(re.fullmatch(form, each) for each in texts):
            raise wrong(self, key, "[…]")
        return texts

    def any(self, key: str, kind: type) -> Any:
        """What stands at ``key``, of one ``kind``."""
        found = self._take(key, None)
        if not isinstance(found, kind):
            raise wrong(self, key, "[…]" if kind is dict else "text")
        return found

    def table(self, key: str, *, needed: bool = False) -> Table:
        """The table at ``key``; an empty one where there is none and none is ``needed``."""
        found = self._take(key, None if needed else {})
        if not isinstance(found, dict):
            raise wrong(self, key, f"[{self.at}{key}]")
        return Table(found, self.file, f"{self.at}{key}.")

    def names(self, form: str) -> list[str]:
        """The keys, each of which must match ``form``."""
        for name in self._values:
            if not re.fullmatch(form, name):
                raise wrong(self, name, form if re.fullmatch(r"[\w|]+", form) else "–")
        if len(self._values) > MOST_NAMES:
            raise wrong(self, "…", f"≤ {MOST_NAMES}")
        self._known |= self._values.keys()
        return list(self._values)

    def texts(self, form: str) -> dict[str, str]:
        """The whole table as texts by name."""
        return {name: self.text(name) for name in self.names(form)}

    def done(self) -> None:
        """Raises VoiceError for a key that nobody asked for."""
        for name in self._values:
            if name not in self._known:
                known = ", ".join(sorted(self._known))
                raise VoiceError(
                    Trouble.REFUSED, "voices.unknown_key", file=self.file, entry=f"{self.at}{name}"[:80], known=known
                )

    def _take(self, key: str, default: Any) -> Any:
        self._known.add(key)
        found = self._values.get(key, default)
        if found is None:
            raise VoiceError(Trouble.REFUSED, "voices.missing_key", file=self.file, entry=f"{self.at}{key}")
        return found


def wrong(table: Table, key: str, allowed: str) -> VoiceError:
    """The error for a value that is not allowed."""
    return VoiceError(
        Trouble.REFUSED, "voices.bad_value", file=table.file, entry=f"{table.at}{key}"[:80], allowed=allowed
    )
