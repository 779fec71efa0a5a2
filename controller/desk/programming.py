"""Programmes at the desk: an approver applies the standing week of their own area, from a day on.

- What is kept is the text as Loa writes it, so that what is exported is what is in force, letter for letter.
- A slot that reaches into quiet hours is refused here: the node would not sound it. Every coming in `LOOKED_AHEAD` is
  held, on the station's clock, against the hours in force that day; one that does not come by then, by its own clock.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable
from datetime import date, datetime, time, timedelta

from controller.desk import reach
from controller.desk.wishes import DeskError, Placing
from controller.rights import Permission
from controller.roster import ancestors
from controller.store import Store, StoreError
from controller.store.programmes import ProgrammeRow
from controller.store.rows import Act, User
from schedules import moments, placing, timetable
from schedules.calendars import facts_of
from schedules.programme import Kind, Programme, Slot, occurrences
from schedules.rulebook import Airing, day_of, in_force, reaches_into
from wire.config import QuietHours
from wire.plan import BulletinClass

FARTHEST = timedelta(days=366)
LOOKED_AHEAD = timedelta(days=35)


class Programming:
    """The part of the desk where programmes are applied."""

    _store: Store
    _zone: str
    _quiet: QuietHours
    _bell: Callable[[], None]

    def apply_programme(
        self, text: str, since: date | None, who: User, now: datetime, edition: str | None = None
    ) -> ProgrammeRow:
        """From ``since`` on (None: now) this is its area's programme. Raises DeskError, TimetableError.

        ``edition``: what the text was made from; ``desk.programme_changed`` says that somebody was faster.
        """
        row = self.weigh_programme(text, since, who, now)
        detail = f"since={row.since} title={row.programme.title}"
        try:
            self._store.programmes.apply(row, Act(who.name, "applied", row.area, detail, now), edition)
        except StoreError as wrong:
            raise self._overtaken(row.area, wrong) from wrong
        self._bell()
        return row

    def weigh_programme(self, text: str, since: date | None, who: User, now: datetime) -> ProgrammeRow:
        """What `apply_programme` would keep; nothing is written. Raises the same."""
        reach.need(who, Permission.PROGRAMME, now)
        programme = timetable.read(text, self._store.airing.sources)
        reach.place(self._store, programme.area, who, Permission.PROGRAMME, now)
        today = moments.local(now, programme.zone).date()
        begins = since or today
        if begins < today:
            raise DeskError("desk.programme_past", day=f"{begins:%d/%m/%Y}")
        if begins > today + FARTHEST:
            raise DeskError("desk.too_far", time=f"{begins:%d/%m/%Y}", days=FARTHEST.days)
        self._audible(programme, begins)
        return ProgrammeRow(programme.area, begins.isoformat(), timetable.write(programme), who.id, now)

    def _overtaken(self, area: str, wrong: StoreError) -> DeskError | StoreError:
        """Who was faster, and when; any other error as it is."""
        newest = max(self._store.programmes.of(area), key=lambda row: row.applied_at, default=None)
        if wrong.key != "store.programme_changed" or newest is None:
            return wrong
        person = next((each for each in self._store.people.all() if each.id == newest.applied_by), None)
        name = (person.full_name or person.name) if person else newest.applied_by
        at = moments.local(newest.applied_at, self._zone)
        return DeskError("desk.programme_changed", name=name, time=f"{at:%H:%M %d/%m/%Y}")

    def _audible(self, programme: Programme, begins: date) -> None:
        """Raises DeskError for a slot in quiet hours: those of the area's policy on each day, else the station's."""
        kept, areas = self._store.policies.all(), (programme.area, *ancestors(programme.area))

        def quiet(day: date) -> QuietHours:
            rulebook = in_force(kept, areas, day)
            return (rulebook.quiet if rulebook else None) or self._quiet

        since = moments.at_local(begins, time(), programme.zone)
        coming = occurrences(programme, since, since + LOOKED_AHEAD, facts_of)
        for each in coming:
            airing = Airing(each.start, each.end - each.start)
            hours = quiet(day_of(airing, self._zone))
            if reaches_into(airing, hours, self._zone):
                raise _unheard(each.slot, hours)
        come = [each.slot for each in coming]
        for slot_ in programme.slots:
            if slot_ not in come and _meets(slot_, quiet(begins)):
                raise _unheard(slot_, quiet(begins))


def slot(store: Store, wanted: Placing, bulletin_class: BulletinClass) -> str | None:
    """The series asked for, if a programme of the areas has such a slot. Raises DeskError."""
    if wanted.slot is None:
        return None
    if wanted.start is not None or wanted.recurrence is not None:
        raise DeskError("desk.slot_and_time")
    if bulletin_class is BulletinClass.EMERGENCY:
        raise DeskError("desk.slot_emergency")
    homes = {node.id: node.home for node in store.roster.nodes()}
    standings = store.programmes.standings()
    area = placing.governing((homes.get(area, area) for area in wanted.areas), standings)
    if area is None:
        raise DeskError("desk.no_programme")
    known = series_of([each.programme for each in standings[area]])
    if wanted.slot not in known:
        near = difflib.get_close_matches(wanted.slot, known, n=1)
        shown = near[0] if near else ", ".join(known) or "-"
        raise DeskError("desk.unknown_series", series=wanted.slot[:60], near=shown)
    return wanted.slot


def series_of(programmes: list[Programme]) -> list[str]:
    """The series that these programmes have slots for, in order of name."""
    items = (item for programme in programmes for slot in programme.slots for item in slot.items)
    return sorted({item.series for item in items if item.kind is Kind.ANNOUNCEMENTS and item.series})


def _unheard(slot: Slot, quiet: QuietHours) -> DeskError:
    facts = {"label": slot.label, "start": f"{slot.start:%H:%M}"}
    return DeskError("desk.programme_quiet", **facts, since=quiet.since, until=quiet.until)


def _meets(slot: Slot, quiet: QuietHours) -> bool:
    """Whether some minute of the slot is quiet."""
    since, until = moments.clock_time(quiet.since), moments.clock_time(quiet.until)
    if moments.within(slot.start, since, until):
        return True
    ahead = (since.hour - slot.start.hour) * 60 + since.minute - slot.start.minute
    return since != until and timedelta(minutes=ahead % (24 * 60)) < slot.length
