"""The sound card's own volume: whatever somebody has muted or turned down, an emergency is heard.

- `amixer` is called as a program, by a thread of its own: a mixer that hangs delays no sound.
- What was found is written down before it is changed, and put back when the emergency is over, also by the next
  process if this one dies in between. A disk that refuses delays nothing: then only this process knows it.
- What cannot be put back stays written down, and is tried again until it can.
- While an emergency sounds it is looked at every second: muted again, it is opened again.
- Without the program, or with a wrong name, it says so in the log, once, and everything else goes on.
"""

from __future__ import annotations

import contextlib
import logging
import re
import subprocess
import threading
from pathlib import Path
from typing import Annotated

import msgspec

from edge_node import disk
from wire import codec

log = logging.getLogger("loa.node.mixer")

PROGRAM = "amixer"
LOOK_SECONDS = 1.0
AGAIN_SECONDS = 30.0  # between two attempts to put back
MOST_SECONDS = 2.0  # for one call
_MOST_BYTES = 1000
_CHANNEL = re.compile(r"^  [A-Z][^:\n]*: (?!Capture ).*?\[(\d{1,3})%\](?:.*\[(on|off)\])?", re.MULTILINE)


class NoMixer(Exception):
    """The mixer cannot be asked; the message says why."""


class Found(msgspec.Struct, frozen=True):
    """How the control stood: percent of each channel, and whether any was muted; null where it has no switch."""

    percents: Annotated[
        tuple[Annotated[int, msgspec.Meta(ge=0, le=100)], ...], msgspec.Meta(min_length=1, max_length=32)
    ]
    muted: bool | None


class Mixer:
    """The control ``control`` of the card ``device``. An empty name: nothing is ever done. All calls return at once."""

    def __init__(self, control: str, device: str, percent: int, kept: Path) -> None:
        self._control, self._device, self._percent, self._kept = control, device, percent, kept
        self._wake = threading.Condition()
        self._open = self._closed = self._told = False
        self._found: Found | None = None  # before it was opened; what lies on disk is for the next process
        self._owed = False  # the disk refused to take that
        self._recalled = False
        self._thread: threading.Thread | None = None
        if control:
            self._thread = threading.Thread(target=self._look_after, name="mixer", daemon=True)
            self._thread.start()

    def open_up(self) -> None:
        """An emergency sounds: unmute, and as loud as is set, or louder if it was."""
        self._want(open_=True)

    def put_back(self) -> None:
        """It is over: as it was before."""
        self._want(open_=False)

    def close(self) -> None:
        """Put back what was changed. Idempotent."""
        with self._wake:
            self._open, self._closed = False, True
            self._wake.notify_all()
        if self._thread:
            self._thread.join(3 * MOST_SECONDS)

    def _want(self, open_: bool) -> None:
        with self._wake:
            if not self._control or self._open is open_ or self._closed:
                return
            self._open = open_
            self._wake.notify_all()

    def _look_after(self) -> None:
        while True:
            opened = self._open
            failed = False
            try:
                self._opened() if opened else self._restored()
            except (NoMixer, OSError) as wrong:
                log.log(logging.DEBUG if self._told else logging.WARNING, "mixer_failed error=%s", wrong)
                failed = True
            except Exception:
                log.log(logging.DEBUG if self._told else logging.ERROR, "mixer_failed", exc_info=True)
                failed = True
            self._told = failed
            with self._wake:
                if self._open is not opened:
                    continue
                if self._closed:
                    return
                self._wake.wait(LOOK_SECONDS if opened else AGAIN_SECONDS if failed else None)

    def _opened(self) -> None:
        with contextlib.suppress(OSError):
            self._recall()
        self._write_down()
        found = read(self._ask("sget", self._control))
        if not found.muted and min(found.percents) >= self._percent:
            return
        if self._found is None:
            self._found, self._recalled = found, True
            log.warning("mixer_opened control=%s was=%s muted=%s", self._control, found.percents, found.muted)
            try:
                disk.write(self._kept, codec.write(found))
            except OSError as wrong:
                self._owed = True
                log.warning("mixer_not_kept error=%s", wrong)
        self._set([max(self._percent, each) for each in found.percents], None if found.muted is None else False)

    def _write_down(self) -> None:
        """What the disk refused when it was opened up, again at every look."""
        if self._owed and self._found:
            with contextlib.suppress(OSError):
                disk.write(self._kept, codec.write(self._found))
                self._owed = False

    def _restored(self) -> None:
        self._recall()
        if self._found:
            self._set(list(self._found.percents), self._found.muted)
            self._found, self._owed = None, False
            log.info("mixer_put_back control=%s", self._control)
        if self._kept.exists():
            disk.remove(self._kept)

    def _recall(self) -> None:
        """What the process before has written down; a file that is spoilt is never put back."""
        if self._recalled:
            return
        try:
            self._found = codec.read(Found, self._kept.read_bytes(), _MOST_BYTES)
        except FileNotFoundError:
            pass
        except (codec.Malformed, codec.TooBig) as wrong:
            log.warning("mixer_spoilt error=%s", wrong)
        self._recalled = True

    def _set(self, percents: list[int], muted: bool | None) -> None:
        switch = [] if muted is None else ["mute" if muted else "unmute"]
        self._ask("sset", self._control, ",".join(f"{each}%" for each in percents), *switch)

    def _ask(self, *arguments: str) -> str:
        try:
            return subprocess.run(
                [PROGRAM, "-D", self._device, *arguments],
                capture_output=True, text=True, errors="replace", timeout=MOST_SECONDS, check=True,
                stdin=subprocess.DEVNULL,
            ).stdout  # fmt: skip
        except FileNotFoundError:
            raise NoMixer(f"{PROGRAM} is not installed (alsa-utils)") from None
        except subprocess.TimeoutExpired:
            raise NoMixer("no answer") from None
        except subprocess.CalledProcessError as wrong:
            raise NoMixer(str(wrong.stderr).strip()[:200]) from None


def read(said: str) -> Found:
    """What ``amixer sget`` says of a control. Raises NoMixer when that is no playback volume."""
    channels = [(int(percent), switch) for percent, switch in _CHANNEL.findall(said[:10_000])][:32]
    if not channels:
        raise NoMixer("it has no volume")
    switches = [switch for _, switch in channels if switch]
    return Found(tuple(min(percent, 100) for percent, _ in channels), "off" in switches if switches else None)
