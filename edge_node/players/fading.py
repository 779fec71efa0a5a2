"""Fading: how a cut ends without a click."""

from __future__ import annotations

from typing import Any

from edge_node.players.player import RATE


def fade_out(block: Any, fade_ms: int, done: int = 0) -> Any:
    """The next piece of a fade of ``fade_ms`` after ``done`` samples of it; shorter than ``block`` at the end.

    ``block`` is int16, shape (n,); the gain goes down along half a cosine, from 1 to 0.
    """
    import numpy as np

    length = fade_ms * RATE // 1000
    place = np.arange(done, max(done, min(length, done + len(block))))
    gain = 0.5 + 0.5 * np.cos(np.pi * place / max(1, length))
    return np.rint(block[: len(place)] * gain).astype(np.int16)
