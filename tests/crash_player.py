"""A process of its own that sounds into a file and writes down its progress, to be killed without warning.

Arguments: out.wav, audio, job, from_ms, checkpoint file, fast|paced.
"""

from __future__ import annotations

import json
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

from edge_node.players.file_player import FilePlayer
from edge_node.players.player import Take


def main(out: str, audio: str, job: str, from_ms: str, checkpoint: str, pace: str) -> None:
    player = FilePlayer(Path(out), lambda: datetime.now(UTC), fast=pace == "fast")
    player.prime(Take(job, Path(audio), datetime.now(UTC), int(from_ms)))
    while True:
        progress = player.progress()
        assert progress
        kept = {"position_ms": progress.position_ms, "samples": progress.samples, "finished": progress.finished}
        fresh = Path(checkpoint).with_suffix(".new")
        fresh.write_text(json.dumps(kept))
        fresh.replace(checkpoint)
        if progress.finished:
            player.close()
            return
        time.sleep(0.05)


if __name__ == "__main__":
    main(*sys.argv[1:])
