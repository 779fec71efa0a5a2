"""Lives: how the processes before this one ended, and what follows from it. The way out of a boot loop.

- A life is short when it neither ended by itself nor lasted `LIFE_SECONDS`. After `SHORT_LIVES` short ones in a row
  the node starts in safe mode: it sounds what it holds and hears emergencies, and leaves the rest.
- What was in hand at `DEATHS` deaths, with no success in between, is set aside: it is not taken up any more.
  Deaths together with the machine (a power cut, a reboot) are nobody's fault and count for short lives only.
- Safe mode ends after `SAFE_SECONDS` of healthy life, or by the station's restart request. Another version of the
  program starts with a clean sheet: after `CALM_SECONDS` of healthy life it is let in.
- No clock is asked: a Raspberry Pi's hops. Where the disk refuses, this life is judged by what could be read; what
  could not be written is tried again while it lasts.
"""

from __future__ import annotations

import contextlib
import logging
from pathlib import Path

import msgspec

from edge_node import disk
from edge_node.in_hand import InHand
from wire import codec

log = logging.getLogger("loa.node.lives")

LIFE_SECONDS = 120.0
SHORT_LIVES = 4
DEATHS = 2
SAFE_SECONDS = 6 * 3600.0
CALM_SECONDS = 600.0  # five times what counts as no short life
AGAIN_SECONDS = 30.0  # after the disk refused
MOST_ASIDE = 50  # the newest are kept
_MOST_BYTES = 256 * 1024
_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


class Past(msgspec.Struct, frozen=True):
    """What is known of earlier lives."""

    version: str = ""
    machine: str = ""  # the boot of the machine in which the last life began
    short: int = 0  # lives in a row that were short; the one that begins counts until it has proved itself
    safe: bool = False
    deaths: dict[str, int] = {}  # what was in hand at how many deaths, without a success since
    aside: tuple[str, ...] = ()


def begin(past: Past, in_hand: str, version: str, machine: str) -> Past:
    """The record with which a life begins. ``in_hand``: what the last one held when it ended. Pure."""
    if past.version != version:
        return Past(version, machine, short=1)
    deaths, aside = dict(past.deaths), list(past.aside)
    if in_hand and past.machine == machine:
        deaths[in_hand] = deaths.get(in_hand, 0) + 1
        if deaths[in_hand] >= DEATHS:
            del deaths[in_hand]
            aside = [*(each for each in aside if each != in_hand), in_hand][-MOST_ASIDE:]
    safe = past.safe or past.short >= SHORT_LIVES
    return Past(version, machine, past.short + 1, safe, dict(list(deaths.items())[-MOST_ASIDE:]), tuple(aside))


class Lives:
    """This life and those before it, in ``folder``. ``version`` of the program; ``machine``: the boot it lives in."""

    def __init__(self, folder: Path, version: str, machine: str | None = None) -> None:
        self.hand = InHand(folder / "in_hand")
        self._path = folder / "lives"
        before = _read(self._path)
        self._past = begin(before, self.hand.before, version, machine if machine is not None else _machine())
        self.safe = self.hand.strict = self._past.safe  # to the end of this life
        self._proved = False
        self._since: float | None = None  # monotonic; healthy from then on
        self._age = 0.0  # of health
        self._owed, self._again_at = False, float("-inf")  # the disk refused; when it is asked again, monotonic
        self._write()
        self.hand.empty()
        self.hand.harmless = self.succeeded
        for thing in self._past.aside:
            log.error("set_aside what=%s", thing) if thing not in before.aside else None
        if self.safe:
            log.error("safe_mode short_lives=%d aside=%d", self._past.short - 1, len(self._past.aside))

    @property
    def aside(self) -> tuple[str, ...]:
        """What is not taken up any more, the newest last."""
        return self._past.aside

    @property
    def unmarked(self) -> bool:
        """Whether this version died of nothing so often that it does without; others' deaths are no part of it."""
        return not self.safe and not self._past.aside

    @property
    def is_calm(self) -> bool:
        """Whether an update may be seen to: at any time, in safe mode once this life has shown that it lasts."""
        return not self.safe or self._age >= CALM_SECONDS

    @property
    def is_over(self) -> bool:
        """Whether safe mode has lasted its time: a restart leaves it."""
        return self.safe and not self._past.safe

    def is_aside(self, thing: str) -> bool:
        """Whether ``thing`` was in hand at too many deaths."""
        return thing in self._past.aside

    def put_aside(self, thing: str) -> None:
        """Take it up no more, from now on."""
        log.error("set_aside what=%s", thing)
        self._change(aside=(*(each for each in self._past.aside if each != thing), thing)[-MOST_ASIDE:])

    def replace(self, thing: str, database: Path) -> bool:
        """Where ``thing`` was set aside, its database is moved out of the way and the next one trusted. Whether so."""
        if not self.is_aside(thing):
            return False
        with contextlib.suppress(OSError):
            log.error("moved_aside what=%s to=%s", thing, disk.move_aside(database))
        self._change(aside=tuple(each for each in self._past.aside if each != thing))
        return True

    def succeeded(self, thing: str) -> None:
        """It was taken up, and this process lives."""
        if thing in self._past.deaths:
            left = {name: count for name, count in self._past.deaths.items() if name != thing}
            self._change(deaths=left)

    def healthy(self, mono: float) -> None:
        """Asked at the end of every tick that went well."""
        self._since = mono if self._since is None else self._since
        self._age = age = mono - self._since
        if self._owed and mono >= self._again_at:
            self._again_at = mono + AGAIN_SECONDS
            self._write()
        if not self._proved and age >= LIFE_SECONDS:
            self._proved = True
            self._change(short=0)
        if self._past.safe and age >= SAFE_SECONDS:
            self.leave_safe_mode()

    def ailing(self) -> None:
        """A tick went wrong: health is counted from the next good one."""
        self._since, self._age = None, 0.0

    def leave_safe_mode(self) -> None:
        """The next life is an ordinary one."""
        self._change(safe=False, short=0)

    def end(self) -> None:
        """This life ends by itself."""
        self._change(short=0 if self._proved else max(0, self._past.short - 1))
        self.hand.empty()

    def close(self) -> None:
        """Close the file. Idempotent."""
        self.hand.close()

    def _change(self, **facts: object) -> None:
        changed = msgspec.structs.replace(self._past, **facts)
        if changed != self._past:
            self._past = changed
            self._write()

    def _write(self) -> None:
        try:
            disk.write(self._path, codec.write(self._past))
            self._owed = False
        except OSError as wrong:
            self._owed = True
            log.warning("lives_not_written error=%s", wrong)


def recall(folder: Path) -> Past:
    """What stands written, for somebody who looks on and starts no life."""
    return _read(folder / "lives")


def _read(path: Path) -> Past:
    """A missing or spoilt record is none."""
    try:
        return codec.read(Past, path.read_bytes()[: _MOST_BYTES + 1], _MOST_BYTES)
    except (OSError, codec.Malformed, codec.TooBig):
        return Past()


def _machine() -> str:
    try:
        return _BOOT_ID.read_text("ascii").strip()
    except (OSError, UnicodeDecodeError):
        return ""
