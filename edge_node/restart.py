"""A restart that the station asked for: once for each value, whatever happens in between."""

from __future__ import annotations

import logging
from pathlib import Path

from edge_node import disk
from wire.config import NodeConfig

log = logging.getLogger("loa.node.restart")

RESTART_EXIT = 75  # asks the supervisor to start the node again


class RestartRequest:
    """Remembers in ``path`` the last value that was obeyed."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def is_new(self, config: NodeConfig) -> bool:
        """Whether to restart now; then it is remembered, durably, before this returns.

        What cannot be remembered is not obeyed: it would be obeyed again at every start.
        """
        wanted = config.restart_request.encode()
        if not wanted or (self._path.exists() and self._path.read_bytes() == wanted):
            return False
        try:
            disk.write(self._path, wanted)
        except OSError as wrong:
            log.error("restart_not_obeyed error=%s", wrong)
            return False
        return True
