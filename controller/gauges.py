"""The gauges: reads how the station's parts are, for its page and for ``loa status``. Decides nothing, changes nothing.

- What only the station's own process knows comes from it (`Inside`); another process sees what it left in the store.
- No passphrase is asked for: what is locked and was not opened in this process is told as such.
- What cannot be read is absent or unknown; only the store's own trouble leaves here (StoreError).
"""

from __future__ import annotations

import logging
import shutil
import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from importlib.metadata import version
from pathlib import Path

from controller import condition, succession, vault, web_certificates
from controller.condition import Part
from controller.condition_facts import ClockFacts, Kept, Keys, Life, Line, Readings, Room, Voice
from controller.guestlist import Guestlist
from controller.keyring import STATION, Keyring, KeyTrouble
from controller.lockup import locked_kinds
from controller.setting_masks import shown
from controller.settings import Settings
from controller.store import Store
from controller.studio import VoiceState
from controller.trustbook import held_trust
from wire import certificates
from wire.certificates import BadCertificate
from wire.kernel_clock import kernel_clock
from wire.trust import Trust

log = logging.getLogger(__name__)

COMPARED = 50  # loudspeakers whose clocks are looked at
LEAST_COMPARED = 3
TIMESYNCD = Path("/run/systemd/timesync/synchronized")  # it is there while systemd-timesyncd holds the time
MOST_PAPER_BYTES = 65_536


def _nothing() -> None:
    return None


@dataclass(frozen=True)
class Inside:
    """What the station's own process knows. ``is_here``: whether this is that process.

    ``since``: its start; ``tick_at``: its last tick; ``connected`` and ``linked_since``: of the broker; ``voices``: as
    they are for whoever voices.
    """

    voices: Callable[[], Sequence[VoiceState]]
    is_here: bool = False
    since: datetime | None = None
    tick_at: Callable[[], datetime | None] = _nothing
    connected: Callable[[], bool | None] = _nothing
    linked_since: Callable[[], datetime | None] = _nothing


class Gauges:
    """Over one station. Safe from any thread."""

    def __init__(self, settings: Settings, store: Store, inside: Inside) -> None:
        self._settings, self._store, self._inside = settings, store, inside
        self._ring = Keyring(settings.keys_dir, settings.station_key, ask=lambda _prompt: None)

    def condition(self, now: datetime) -> tuple[Part, ...]:
        """Every part as it is now, judged. Raises StoreError."""
        return condition.judge(self.read(now), now)

    def read(self, now: datetime) -> Readings:
        """Everything that is judged. Raises StoreError."""
        kept = vault.newest(self._store)
        database = self._store.database
        return Readings(
            life=self._life(),
            line=self._line(),
            clock=self._clock(),
            rooms=self._rooms(kept.folder if kept else None),
            database=("sqlite" if database.is_sqlite else "postgresql", database.size_bytes()),
            voices=[Voice(each.name, each.resting, each.why_not) for each in self._inside.voices()],
            papers=self._web_papers() | self._radio_papers(),
            keys=self._keys(now),
            backup=Kept(kept.name, kept.at, str(kept.folder or "")) if kept else None,
        )

    def _life(self) -> Life:
        inside, number = self._inside, version("loa-radio")
        if inside.is_here:
            return Life(number, True, inside.since, inside.tick_at())
        return Life(number, False, None, self._store.alarms.judged_at())

    def _line(self) -> Line:
        told, inside = self._settings, self._inside
        lost = [each.began_at for each in self._store.alarms.open() if each.cause == "broker"]
        connected = inside.connected()
        since = inside.linked_since() if connected else None
        lost_at = min(lost, default=None) if not connected else None
        return Line(
            *(told.broker_kind, shown("broker_host", told.broker_host), told.broker_port, bool(told.broker_ca)),
            *(connected, since, lost_at),
        )

    def _clock(self) -> ClockFacts:
        source, offset = kernel_clock()
        if TIMESYNCD.exists():
            source = "ntp"
        heard = self._store.health.newest(COMPARED)
        apart = [(received - told.at).total_seconds() for told, received in heard if told.vitals.clock_known]
        if len(apart) < LEAST_COMPARED:
            return ClockFacts(source, offset)
        return ClockFacts(source, offset, statistics.median(apart), len(apart))

    def _rooms(self, backup: Path | None) -> list[Room]:
        """One for each disk: two folders on the same are told once."""
        found: dict[int, Room] = {}
        folders = [("state", self._settings.state_dir), ("shelf", self._settings.shelf_dir)]
        for what, path in [*folders, *([("backup", backup)] if backup else [])]:
            try:
                usage, disk = shutil.disk_usage(path), path.stat().st_dev
            except OSError:  # a stick that was pulled out, a shelf not made yet
                continue
            found.setdefault(disk, Room(what, str(path), usage.free, usage.total))
        return list(found.values())

    def _web_papers(self) -> dict[str, datetime | None]:
        told = self._settings
        try:
            if told.web_certificate:
                with Path(told.web_certificate).open("rb") as file:
                    text = file.read(MOST_PAPER_BYTES).decode("ascii", "replace")
                return {"web_given": certificates.read(text).until}
            held = web_certificates.told(told, self._ring.ask) if told.web_names else None
        except (OSError, BadCertificate, KeyTrouble) as wrong:
            log.info("paper_unread of=web why=%s", wrong)
            return {"web": None}
        return {"web": held.until, "web_authority": held.authority_until} if held else {}

    def _radio_papers(self) -> dict[str, datetime | None]:
        try:
            return dict(Guestlist(self._store, self._settings, self._ring).holding())
        except (OSError, BadCertificate, KeyTrouble) as wrong:
            log.info("paper_unread of=radio why=%s", wrong)
            return {"authority": None}

    def _keys(self, now: datetime) -> Keys:
        trust = held_trust(self._store)
        out = self._store.cosigners_out.keys()
        second = [each for each in (trust.cosigners if trust else ()) if each.until > now]
        counted = sum(each.public_key not in out for each in second)
        try:
            locked = locked_kinds(self._ring)
            here = bool(self._ring.token) or self._ring.path(STATION).exists()
            named, cut = self._is_named(trust, now), succession.is_cut(self._ring, self._store)
        except (OSError, KeyTrouble) as wrong:
            log.info("lock_unread why=%s", wrong)
            locked, here, named, cut = None, True, True, False
        wanted, until = bool(trust and trust.cosign_below), trust.valid_until if trust else None
        return Keys(locked, bool(self._ring.token), here, counted, wanted, until, named, cut)

    def _is_named(self, trust: Trust | None, now: datetime) -> bool:
        """Whether the key in the file counts; one in a token is not asked for its name here, which takes its PIN."""
        own = None if self._ring.token else self._ring.public(STATION)
        if own is None or trust is None:
            return True
        return any(each.public_key == own.hex and each.not_before <= now < each.until for each in trust.grants)
