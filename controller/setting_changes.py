"""Settings that are others than at the last start: one line each in the audit log, old and new, never a secret.

- A secret's change is told without its values; whether it changed is told by a keyed mark, so the database does not
  help to guess it. Passwords in addresses are masked.
- The first start of a part notes that its settings are known from now on.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from controller.settings import Settings
from controller.store import Store
from controller.store.rows import Act
from controller.store.settings_known import Known

CHANGED, BEGUN = "changed a setting", "knows its settings"

Mark = Callable[[str, str], str]  # (value, whose) -> 64 hex digits; `controller.vault.Lockbox.mark`


def note(store: Store, settings: Settings, part: str, mark: Mark, now: datetime) -> list[Act]:
    """Compare with the last start of ``part`` and keep what is now; the lines that were written. Raises StoreError."""
    before, after = store.settings_known.of(part), known(settings, mark)
    if before == after:
        return []
    acts = [_changed(name, before[name], each, now) for name, each in after.items() if _differs(before.get(name), each)]
    if not before:
        acts = [Act("station", BEGUN, part, f"settings={len(after)}", now)]
    store.settings_known.put(part, after, acts)
    return acts


def known(settings: Settings, mark: Mark) -> dict[str, Known]:
    """Every setting as it may be read, and its mark."""
    shown = settings.in_force()
    return {name: Known(text, mark(repr(getattr(settings, name)), f"setting {name}")) for name, text in shown.items()}


def _differs(before: Known | None, after: Known) -> bool:
    return before is not None and before.mark != after.mark


def _changed(name: str, before: Known, after: Known, now: datetime) -> Act:
    told = f"{before.shown or '–'} → {after.shown or '–'}" if before.shown != after.shown else "***"
    return Act("station", CHANGED, name, told, now)
