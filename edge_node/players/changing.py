"""Changing takes: what a player that mixes is asked, done on its console. The player wakes its thread, this waits.

- One console, one `Changing`; sound player and file player differ in where samples go, not in this.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import timedelta

from edge_node.players.console import Console
from edge_node.players.decoding import Source
from edge_node.players.part import Part
from edge_node.players.player import FADE_MS, Now, Progress, Take
from edge_node.players.relaying import RelaySource
from edge_node.players.voice import Voice

MOST_SECONDS = 1.0  # that is waited for a fade, or for the first sample of a take that should have begun

Opens = Callable[[Part], Source | RelaySource]


class Changing:
    """Takes held, one on air and one beneath. ``opens`` gives a part's samples, on the player's thread.

    ``alive``: whether anybody takes samples at all; nobody waits for a fade that no device will ask for.
    """

    def __init__(self, now: Now, opens: Opens, alive: Callable[[], bool]) -> None:
        self._now, self._opens, self._alive = now, opens, alive
        self.console = Console(now)
        self.wake = threading.Condition()
        self.closed = False
        self.asked = 0  # grows with everything that is asked: a thread that knows the number has seen it all

    def prime(self, take: Take) -> None:
        """See `Player`."""
        self._hold(take, self.console.prime)

    def lay_over(self, take: Take) -> None:
        """See `Player`."""
        self._hold(take, self.console.lay_over)

    def cross(self, take: Take) -> Progress | None:
        """See `Player`."""
        leaving = self.console.on
        self._hold(take, self.console.cross)
        if leaving is None:
            return None
        early = (take.at - self._now()) / timedelta(seconds=1)
        if self._alive() and leaving.sounds:
            leaving.gone.wait(max(0.0, min(early, MOST_SECONDS)) + MOST_SECONDS)
        return self._let_go(leaving, FADE_MS)

    def progress(self) -> Progress | None:
        """See `Player`."""
        voice = self.console.on
        return voice.part.progress() if voice else None

    def beneath(self) -> Progress | None:
        """See `Player`."""
        voice = self.console.beneath
        return voice.part.progress() if voice else None

    def stop(self, fade_ms: int) -> Progress | None:
        """See `Player`."""
        return self._let_go(self.console.on, fade_ms)

    def stop_beneath(self, fade_ms: int) -> Progress | None:
        """See `Player`."""
        return self._let_go(self.console.beneath, fade_ms)

    def close(self) -> None:
        """Nothing is taken any more."""
        self.stop_beneath(0)
        self.stop(0)
        with self.wake:
            self.closed = True
            self._awaken()

    def _hold(self, take: Take, place: Callable[[Voice], object]) -> None:
        with self.wake:
            if not self.closed:
                part = Part(take)
                place(Voice(part, lambda: self._opens(part)))
            self._awaken()

    def _let_go(self, voice: Voice | None, fade_ms: int) -> Progress | None:
        if voice is None:
            return None
        with self.wake:
            self.console.cut(voice, fade_ms)
            self._awaken()
        if voice.part.started and self._alive():
            voice.gone.wait(MOST_SECONDS)
        voice.gone.set()
        voice.part.let_go()
        return voice.part.progress()

    def _awaken(self) -> None:
        self.asked += 1
        self.wake.notify_all()
