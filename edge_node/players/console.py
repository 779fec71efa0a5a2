"""The console: mixes what sounds together, and changes from one take to the next to the sample.

- Three places at most: the take on air, one beneath it, one that is leaving. Nobody else knows which is how loud.
- A take that begins over another does so on its exact sample, within a block of the device: from there on the other
  goes down as it comes up (`gains`), so there is no hole between them and no overload.
- When the one on air is over, the one beneath comes back up by itself.
- Who asks for something (`prime`, `cross`, …) and who mixes (`take`) are two threads; a lock is held for
  microseconds.
"""

from __future__ import annotations

import threading
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from edge_node.players.gains import Gains
from edge_node.players.player import BENEATH_DB, FADE_MS, RATE, Now
from edge_node.players.voice import Voice

BENEATH = 10 ** (BENEATH_DB / 20)
RISE_MS = 300  # how the one beneath comes back when what was over it has ended


class Piece(NamedTuple):
    """Samples of a voice in a block that was mixed: from ``since`` on, so many."""

    voice: Voice
    since: int
    samples: int


class Console:
    """Which voices sound, and how loud. What `voices` tells is to be filled by the player's thread."""

    def __init__(self, now: Now) -> None:
        self._now = now
        self._lock = threading.RLock()
        self.on: Voice | None = None
        self.beneath: Voice | None = None
        self._leaving: list[Voice] = []
        self._open: list[Voice] = []  # everything that has not been closed
        self._gains = Gains()

    def prime(self, voice: Voice) -> None:
        """This one alone; whatever sounds is dropped at once."""
        with self._lock:
            self._drop(self.on, self.beneath, *self._leaving)
            self.on, self.beneath, self._leaving = voice, None, []
            self._open.append(voice)

    def lay_over(self, voice: Voice) -> None:
        """What is on air goes beneath this one, from its first sample on. What lay beneath already is dropped."""
        with self._lock:
            self._drop(self.beneath)
            self.beneath, self.on = self.on, voice
            self._open.append(voice)

    def cross(self, voice: Voice) -> Voice | None:
        """What is on air leaves when this one begins; returns it. What lies beneath stays there."""
        with self._lock:
            leaving, self.on = self.on, voice
            self._leaving += [leaving] if leaving else []
            self._open.append(voice)
            return leaving

    def cut(self, voice: Voice | None, fade_ms: int) -> None:
        """Fade this one out, beginning with the next sample. The one beneath is then the one on air."""
        with self._lock:
            if voice is None:
                return
            if voice is self.on:
                self.on, self.beneath = self.beneath, None
            elif voice is self.beneath:
                self.beneath = None
            if not voice.sounds:  # nothing was heard of it, or it is over: nobody changes for that
                self._drop(voice)
                return
            self._leaving += [] if voice in self._leaving else [voice]
            self._move(fade_ms or FADE_MS, leaving=True)
            if not fade_ms:
                self._drop(voice)

    def voices(self) -> list[Voice]:
        """Everything that may still sound, the newest first. Closes what is gone; for the player's thread alone."""
        with self._lock:
            gone = [voice for voice in self._open if voice.gone.is_set()]
            self._open = [voice for voice in self._open if voice not in gone]
            found = self._open[::-1]
        for voice in gone:
            voice.close()
        return found

    def close(self) -> None:
        """Drop everything and close it; for the player's thread alone."""
        with self._lock:
            self._drop(*self._open)
        self.voices()

    @property
    def sounds(self) -> bool:
        """Whether anything sounds now."""
        return any(voice.sounds for voice in self._heard())

    def take(self, out: Any, leaves_in_seconds: float) -> list[Piece]:
        """Fill ``out`` (int16, shape (n,)), whose first sample is heard in ``leaves_in_seconds``; say what with."""
        out[:] = 0
        pieces: list[Piece] = []
        heard_at = self._now() + timedelta(seconds=leaves_in_seconds)
        done = 0
        with self._lock:
            while done < len(out):
                leaves = leaves_in_seconds + done / RATE
                length = self._next_length(len(out) - done, heard_at + timedelta(seconds=done / RATE))
                pieces += [piece._replace(since=done) for piece in self._mix(out[done : done + length], leaves)]
                done += length
        return pieces

    def _next_length(self, most: int, heard_at: datetime) -> int:
        """For how long nothing begins and no gain stops moving. Lets begin what begins at ``heard_at``."""
        voice = self.on
        if voice and not voice.part.started and voice.ready:
            begins_in = voice.begins_in(heard_at)
            if begins_in:
                most = min(most, begins_in)
            else:
                self._begin(voice, heard_at)
        return min(most, self._gains.left or most, (voice and voice.part.started and voice.left) or most)

    def _begin(self, voice: Voice, heard_at: datetime) -> None:
        others = self.sounds
        voice.part.start(heard_at)
        self._move(FADE_MS if others else 0, leaving=True)

    def _mix(self, out: Any, leaves_in_seconds: float) -> list[Piece]:
        """Add every voice to ``out``, which is silent."""
        import numpy as np

        mixed, pieces = np.zeros(len(out), np.int32), []
        on_sounds = self.on is not None and self.on.sounds
        for voice in self._heard():
            if not voice.part.started or voice.gone.is_set():
                continue
            block = voice.pull(len(out))
            gain = self._gains.over(voice, len(out))
            faded = np.rint(block * (gain[: len(block)] if isinstance(gain, np.ndarray) else gain)).astype(np.int16)
            mixed[: len(faded)] += faded
            voice.part.deliver(faded, beneath=voice is self.beneath and on_sounds)
            if len(faded):
                voice.leaves(leaves_in_seconds + len(faded) / RATE)
                pieces.append(Piece(voice, 0, len(faded)))
        out[:] = np.clip(mixed, -32768, 32767)
        self._gains.pass_by(len(out))
        self._settle(on_sounds)
        return pieces

    def _settle(self, on_sounded: bool) -> None:
        """What has faded out is gone; what lies beneath one that has ended comes up."""
        if not self._gains.left:
            self._drop(*(voice for voice in self._leaving if not self._gains.level(voice)))
        self._leaving = [voice for voice in self._leaving if not voice.gone.is_set() and not voice.ended]
        if on_sounded and self.on and not self.on.sounds and self.beneath:
            self._move(RISE_MS, leaving=True)

    def _move(self, length_ms: int, leaving: bool) -> None:
        """Let the gains go to where they belong now. ``leaving``: those that leave do so now."""
        targets: dict[object, float] = {}
        over = self.on is not None and self.on.sounds
        if self.on:
            targets[self.on] = 1 - BENEATH if self.beneath and self.beneath.sounds else 1.0
        if self.beneath:
            targets[self.beneath] = BENEATH if over else 1.0
        targets |= {voice: 0.0 if leaving else self._gains.level(voice) for voice in self._leaving}
        self._gains.move(targets, length_ms * RATE // 1000)

    def _heard(self) -> list[Voice]:
        return [*self._leaving, *(voice for voice in (self.beneath, self.on) if voice)]

    def _drop(self, *voices: Voice | None) -> None:
        for voice in voices:
            if voice:
                voice.gone.set()
