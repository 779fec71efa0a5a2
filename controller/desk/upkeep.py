"""Upkeep at the desk: how loud one node is, when nobody shall expect it to sound, and a tone that tries it.

- Maintenance always has a reason and an end: what nobody ends is over by itself, by the station's own tick.
- A tone goes the way of every announcement: booked, planned, sealed, reported. It is an ordinary one, so quiet hours
  and rulebooks hold for it; nobody approves it, for its sound is the station's own and says nothing.
"""

from __future__ import annotations

import re
import secrets
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING

from controller.desk import reach, rules
from controller.desk.announcing import Announcing, blank, own_key
from controller.desk.wishes import DeskError
from controller.rights import Permission
from controller.roster import Maintenance, Node
from controller.store import Store
from controller.store.rows import Act, Announced, AnnouncementState, BookingRow, RecordingRow, User
from schedules import moments
from wire.config import VolumeBand
from wire.plan import BulletinClass
from words import say

if TYPE_CHECKING:
    from controller.studio import Kept

LONGEST_MAINTENANCE = timedelta(days=90)
MOST_REASON_CHARS = 200
MOST_BANDS = 24
LEAST_DBFS = -60.0
TONE_LATE_SECONDS = 120  # whoever waits under the pole for longer tries again
TONE_NAME = "tone"  # the file that its recording came from, as the archive names it
_CLOCK = re.compile(r"([01][0-9]|2[0-3]):[0-5][0-9]")


class Upkeep(Announcing):
    """The part of the desk where one node is looked after."""

    _store: Store
    _zone: str
    _bell: Callable[[], None]

    def maintain(self, node_id: str, reason: str, until: datetime | None, who: User, now: datetime) -> Node:
        """From now until then the node sounds emergencies only, and nobody is told that it is away. Raises DeskError.

        One that is in maintenance already gets the new reason and end.
        """
        node = self._looked_after(node_id, who, now)
        why = " ".join(unicodedata.normalize("NFC", reason).split())[:MOST_REASON_CHARS]
        if not why or not why.isprintable():
            raise DeskError("desk.no_maintenance_reason")
        if until is None or not now < until <= now + LONGEST_MAINTENANCE:
            raise DeskError("desk.bad_maintenance_end", days=LONGEST_MAINTENANCE.days)
        told = f"until={moments.local(until, self._zone):%Y-%m-%dT%H:%M} {why}"
        wanted = Maintenance(why, until, who.name)
        self._store.roster.maintain(node.id, wanted, Act(who.name, "began maintenance", node.id, told, now))
        self._bell()
        return replace(node, maintenance=True, maintenance_until=until, maintenance_reason=why)

    def end_maintenance(self, node_id: str, who: User, now: datetime) -> None:
        """The node sounds everything again; of one that is not in maintenance nothing changes. Raises DeskError."""
        node = self._looked_after(node_id, who, now)
        if node.maintenance:
            self._store.roster.maintain(node.id, None, Act(who.name, "ended maintenance", node.id, "", now))
            self._bell()

    def set_volumes(self, node_id: str, bands: Sequence[VolumeBand], who: User, now: datetime) -> None:
        """How loud the node is from which local time on; no band: as its place wants it. Raises DeskError."""
        node = self._looked_after(node_id, who, now)
        if len(bands) > MOST_BANDS:
            raise DeskError("desk.too_many_bands", most=MOST_BANDS)
        for band in bands:
            if not _CLOCK.fullmatch(band.since):
                raise DeskError("desk.bad_band_time", time=band.since[:20])
            if not LEAST_DBFS <= band.volume_dbfs <= 0:
                raise DeskError("desk.bad_band_volume", least=int(LEAST_DBFS))
        ordered = sorted(bands, key=lambda band: band.since)
        for before, band in pairwise(ordered):
            if before.since == band.since:
                raise DeskError("desk.band_twice", time=band.since)
        told = " ".join(f"{each.since}/{each.volume_dbfs:g}dB" for each in ordered) or "-"
        self._store.roster.set_volumes(node.id, ordered, Act(who.name, "set volumes", node.id, told, now))
        self._bell()

    def may_try(self, node_id: str, who: User, now: datetime) -> None:
        """Raises DeskError where `try_out` would, as far as that is known before there is a sound."""
        node = self._looked_after(node_id, who, now)
        if node.maintenance:
            raise DeskError("desk.tone_in_maintenance")
        rules.start(None, BulletinClass.ORDINARY, now, self._zone, self._quiet_over((node.id,))(now))

    def try_out(self, node_id: str, tone: Kept, key: str, who: User, now: datetime) -> Announced:
        """Let a ``tone`` out of the archive sound on this node alone, as soon as can be. Raises DeskError.

        The same ``key`` from the same person is the same wish. Refused in quiet hours, against a rulebook, and while
        the node is in maintenance, when it would not sound it.
        """
        known = self.known(key, who)
        if known:
            return known
        self.may_try(node_id, who, now)
        node = self._looked_after(node_id, who, now)
        facts = tone.sha256, tone.size_bytes, tone.duration_ms, tone.lufs, tone.language
        heard = RecordingRow(*facts, file_name=TONE_NAME, admitted_by=who.id, admitted_at=now)
        named = rules.title(say("desk.tone_title", "vi", name=node.name), "")
        approved = {"state": AnnouncementState.APPROVED, "approver": who.id, "recording": heard.sha256}
        announcement = replace(blank(who, now), title=named, **approved)  # type: ignore[arg-type]
        booking = BookingRow(
            id=f"b{secrets.token_hex(6)}",
            announcement=announcement.id,
            areas=(node.id,),
            start=None,
            created_by=who.id,
            created_at=now,
            late_for_seconds=TONE_LATE_SECONDS,
            idempotency_key=own_key(key, who),
        )
        self._keep_policies(announcement, booking, now)
        self._store.recordings.put(heard)
        act = Act(who.name, "tried out a node", node.id, f"booking={booking.id} node={node.id}", now)
        made = self._store.announcements.create(announcement, booking, act)
        self._store.notices.unlist(made.announcement_id, who.id, Act(who.name, "unlisted", announcement.id, named, now))
        self._bell()
        return made

    def _looked_after(self, node_id: str, who: User, now: datetime) -> Node:
        """The node, if ``who`` may look after it and it counts. Raises DeskError."""
        reach.need(who, Permission.EQUIP, now)
        node = self._store.roster.node(node_id)
        if node is None or node.revoked_at is not None:
            raise DeskError("desk.unknown_area", area=node_id[:80])
        reach.need(who, Permission.EQUIP, now, node.home)
        return node
