"""The sheet: every setting in force, where it comes from, its default, and what a restart would make of it.

- Nothing here is a secret: values are as `Settings.in_force` shows them. What changes is judged by the values
  themselves, so a new password is told without being shown.
- The file is read again when the sheet is made: what was written since the start counts from the next one on, and a
  mistake in it is a sentence before anybody restarts.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from controller.setting_groups import GROUPS
from controller.setting_origins import Origin, Origins
from controller.settings import Settings, SettingsError, from_values, read


@dataclass(frozen=True)
class Line:
    """A setting. ``default``: what it is where nobody says anything; ``differs``: whether it is something else.

    ``overruled``: the file says it too, to no effect. ``ahead``: what it is after a restart, None for the same.
    """

    name: str
    value: str
    default: str
    origin: str
    differs: bool
    overruled: bool = False
    ahead: str | None = None


@dataclass(frozen=True)
class Sheet:
    """``groups``: lines by the group's name; ``file``: the one that was read, None for none.

    ``wrong``: why the station would not start again with the file as it stands now.
    """

    groups: dict[str, tuple[Line, ...]]
    file: Path | None = None
    wrong: SettingsError | None = None

    @property
    def lines(self) -> tuple[Line, ...]:
        """Every setting, in order."""
        return tuple(line for lines in self.groups.values() for line in lines)

    @property
    def waiting(self) -> tuple[Line, ...]:
        """What a restart would change."""
        return tuple(line for line in self.lines if line.ahead is not None)


def sheet(settings: Settings, origins: Origins | None, environment: Mapping[str, str] = os.environ) -> Sheet:
    """Everything in force. ``origins``: where ``settings`` were read from, None where no file nor environment was."""
    defaults = from_values({})
    ahead, wrong = _ahead(origins, environment)
    shown, shown_defaults = settings.in_force(), defaults.in_force()
    shown_ahead = ahead.in_force() if ahead else {}

    def line(name: str) -> Line:
        value = getattr(settings, name)
        differs = value != getattr(defaults, name)
        origin = origins.of(name) if origins else Origin.GIVEN if differs else Origin.DEFAULT
        told = shown_ahead[name] if ahead and getattr(ahead, name) != value else None
        overruled = origins is not None and origins.is_overruled(name)
        return Line(name, shown[name], shown_defaults[name], origin.value, differs, overruled, told)

    groups = {group: tuple(map(line, names)) for group, names in GROUPS.items()}
    return Sheet(groups, origins.file if origins else None, wrong)


def _ahead(origins: Origins | None, environment: Mapping[str, str]) -> tuple[Settings | None, SettingsError | None]:
    """What the next start would take, or why it would take nothing."""
    if origins is None:
        return None, None
    try:
        return read(origins.file, environment)[0], None
    except SettingsError as wrong:
        return None, wrong
