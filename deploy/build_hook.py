"""What hatchling runs before it packs Loa: the pages' files are built if they are stale, so that a wheel has them.

- Whoever builds without our locks (``pip install .``) is told here what is needed for it: Node, and only when stale.
- An archive of the source has them built already, so that installing from it asks no registry of packages.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parent.parent)]
import build_assets  # noqa: E402 - found by the line above

from words import system_language  # noqa: E402


class Front(BuildHookInterface[Any]):
    """The hook."""

    PLUGIN_NAME = "custom"

    def dependencies(self) -> list[str]:
        """What building needs beside hatchling."""
        return [] if build_assets.is_fresh(Path(self.root)) else [build_assets.NODE]

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:  # noqa: ARG002 - of the interface
        """Build. Exits with one sentence where it cannot be."""
        try:
            build_assets.ensure(Path(self.root))
        except build_assets.NotBuilt as wrong:
            sys.exit(wrong.say(system_language()))
