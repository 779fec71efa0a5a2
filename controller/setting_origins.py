"""Where settings come from: the file, the environment, or nobody said anything. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

PREFIX = "LOA_"
NOT_SETTINGS = frozenset({"LOA_LANG", "LOA_PYTHON", "LOA_CONFIG"})


class Origin(StrEnum):
    """Who said what a setting is."""

    FILE = "file"
    ENVIRONMENT = "environment"
    DEFAULT = "default"
    GIVEN = "given"  # by the program that started the station, such as the demo


@dataclass(frozen=True)
class Origins:
    """``file``: the one that was read, None where none was named. The environment wins over it."""

    file: Path | None = None
    in_file: frozenset[str] = frozenset()
    in_environment: frozenset[str] = frozenset()

    def of(self, name: str) -> Origin:
        """Where the value in force of the setting ``name`` comes from."""
        if name in self.in_environment:
            return Origin.ENVIRONMENT
        return Origin.FILE if name in self.in_file else Origin.DEFAULT

    def is_overruled(self, name: str) -> bool:
        """Whether the file says something else, or the same, to no effect."""
        return name in self.in_file and name in self.in_environment


def from_environment(environment: Mapping[str, str]) -> dict[str, str]:
    """The settings of this side in the environment: name -> value."""
    return {
        name.removeprefix(PREFIX).lower(): value
        for name, value in environment.items()
        if name.startswith(PREFIX) and not name.startswith("LOA_NODE_") and name not in NOT_SETTINGS
    }
