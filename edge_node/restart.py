"""A restart that the station asked for: once for each value, whatever happens in between."""

from __future__ import annotations

import logging
from pathlib import Path

from edge_node import disk
from wire.config import NodeConfig

log = logging.getLogger("loa.node.restart")

RESTART_EXIT = 75  # asks the supervisor to start the node again
AGAIN_SECONDS = 30.0  # after the disk refused


class RestartRequest:
    """Remembers in ``path`` the last value that was obeyed."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._asked = b""  # and neither obeyed nor known yet
        self._again_at = float("-inf")  # monotonic
        self._obeyed = False

    def ask(self, config: NodeConfig) -> None:
        """A new config came, with a value or none."""
        self._asked, self._again_at = config.restart_request.encode(), float("-inf")

    def is_wanted(self, mono: float) -> bool:
        """Whether to restart now; then it is remembered, durably, before this returns. ``mono``: monotonic seconds.

        What cannot be remembered is not obeyed until it can: it would be obeyed again at every start.
        """
        if self._asked and mono >= self._again_at:
            self._again_at = mono + AGAIN_SECONDS
            try:
                if not (self._path.exists() and self._path.read_bytes() == self._asked):
                    disk.write(self._path, self._asked)
                    self._obeyed = True
                self._asked = b""
            except OSError as wrong:
                log.error("restart_not_obeyed error=%s", wrong)
        return self._obeyed
