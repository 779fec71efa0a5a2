"""The machine as the updater sees it: its run, its monotonic clock, and the node's unit under its supervisor."""

from __future__ import annotations

import logging
import subprocess
import threading
import time

from edge_node.releases import signs

log = logging.getLogger("loa.node.update")

RESTART_SECONDS = 120.0


class Machine:
    """``unit``: the node's unit under systemd."""

    def __init__(self, unit: str) -> None:
        self._unit = unit
        self._never = threading.Event()
        self._boot = signs.boot()

    def boot(self) -> str:
        """The name of this run of the machine."""
        return self._boot

    def monotonic(self) -> float:
        """Seconds of this run."""
        return time.monotonic()

    def wait(self, seconds: float) -> None:
        """Let time pass."""
        self._never.wait(seconds)

    def restart(self) -> bool:
        """Have the node started again. Whether its supervisor says so; how it lives then its signs of life show."""
        try:
            done = subprocess.run(
                ["systemctl", "restart", self._unit], capture_output=True, timeout=RESTART_SECONDS, check=False
            )
        except (OSError, subprocess.TimeoutExpired) as wrong:
            log.error("not_restarted unit=%s why=%s", self._unit, wrong)
            return False
        if done.returncode:
            log.error("not_restarted unit=%s why=%s", self._unit, done.stderr.decode("utf-8", "replace")[-200:])
        return done.returncode == 0
