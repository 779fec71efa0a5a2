"""The calendar: a week of one place, by band of the day, on the screen and on paper for a signature.

- What is to come is the plan as one loudspeaker of the place would make of it (`controller.preview`): one place, seven
  days at most, never all of a province. What has no plan yet, what is held back and what is past stand beside it.
- An item of a programme is shown wherever the programme is known, however far ahead.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, datetime, timedelta
from functools import partial
from typing import Any

from flask import Blueprint, abort, render_template, request
from flask.typing import ResponseReturnValue

from controller import preview
from controller.rights import EVERYWHERE, Permission
from controller.roster import ancestors
from controller.store import Store
from controller.web import foreseen, ground, known, reading, standing
from controller.web.airings import Airing
from controller.web.doors import door, own_place, sees
from controller.web.known import minute, numbers
from controller.web.language import chosen, t
from controller.web.weekly import DAYS, Entry, Week, laid, monday
from controller.web.window import window
from controller.web.withheld import stage_of
from schedules.booking import Booking
from schedules.calendars import facts_of
from schedules.laying import Sounding
from schedules.moments import local
from schedules.planner import HORIZON
from schedules.programme import Kind
from wire.names import lies_within
from wire.plan import BulletinClass

MOST_NODES = 60  # of the place, each linked to its own days
STILL = {"submitted", "voicing", "voiceless", "offered"}

pages = Blueprint("calendar", __name__)


@pages.get("/lich")
@door(Permission.READ)
def week() -> ResponseReturnValue:
    """A week of one area (``?dia-ban=``), that of a day (``?tuan=``, ISO) or this one."""
    here, now = window(), window().now()
    areas = reading.own_areas()
    area = request.args.get("dia-ban", "")[:200] or first_place()
    if area and not sees(area):
        abort(404)
    zone = here.settings.zone
    today = local(now, zone).date()
    first = monday(request.args.get("tuan", "")[:10], today)
    since, until = preview.midnight(first, zone), preview.midnight(first + timedelta(days=DAYS), zone)
    at = numbers().wishes, numbers().roster, numbers().of("plans", "held_back"), minute(now)
    made = known.of(("week", area, first, chosen()), at, lambda: week_of(area, (since, until), first, now))
    own = ground.own() & here.store.roster.listeners([area])
    nodes = [here.store.roster.by_name()[each] for each in sorted(own)[:MOST_NODES]]
    view: dict[str, Any] = {"week": made, "area": area, "areas": areas, "today": today, "names": reading.area_names()}
    view |= {"before": first - timedelta(days=DAYS), "after": first + timedelta(days=DAYS), "this": monday("", today)}
    view |= {"nodes": nodes, "more_nodes": len(own) - len(nodes)}
    view["silent"] = standing.lacking_audio(area) if area else []
    return render_template("calendar.html", **view)


def week_of(area: str, span: tuple[datetime, datetime], first: date, now: datetime) -> Week:
    """All that stands in a week of a place: the same for every reader."""
    since, until = span
    ahead = [*planned(area, until, now)]
    planned_starts = {each.start for each in ahead if not each.booking}  # today's are planned still when they are past
    items = [each for each in slots(area, since, until, now) if each.start not in planned_starts]
    found = [*ahead, *booked(area, since, until, now), *items]
    within = [each for each in found if since <= each.start < until]
    return laid(within, first, window().settings.zone, partial(facts_of, language=chosen()))


def first_place() -> str:
    """Where this person is at home; for whoever is at home everywhere, the first area there is."""
    home = own_place()
    if home != EVERYWHERE and sees(home):
        return home
    return next((each.id for each in reading.own_areas()), "")


def planned(area: str, until: datetime, now: datetime) -> Iterator[Entry]:
    """What a loudspeaker of the place will have from today on, with what it will make of each."""
    here = window()
    found = preview.look(here.store, here.settings, area, now, ground.to_plan(now))
    zone = here.settings.zone
    days = (local(until, zone).date() - local(now, zone).date()).days
    if found is None or days <= 0:
        return
    wanted = replace(found, held=found.wanted)  # what would be sent now: a page of this minute, not of the last issue
    for day in foreseen.days_ahead(wanted, now, zone, min(days, 2 * DAYS), facts_of):
        for each in day.entries:
            job = each.job
            yield Entry(
                job=job.id,
                booking=each.booking,
                title=job.title,
                start=job.start,
                length=each.length or timedelta(0),
                bulletin_class=job.bulletin_class,
                drill=job.drill,
                fate=each.fate,
                is_past=each.is_past,
            )


def booked(area: str, since: datetime, until: datetime, now: datetime) -> Iterator[Entry]:
    """What was asked for in the place: what is past, what is not planned yet, and what is held back."""
    held, reasons = ground.withheld_since(since)
    for view, comings in ground.comings_in(since, until):
        row = view.booking
        if not reading.concerns(view, area):
            continue
        words = Booking(row.id, view.title, row.areas, tuple(comings), None, repeats=row.recurrence is not None)
        stage, below = reading.stage(view, now), not any(lies_within(area, each) for each in row.areas)
        for at in comings:
            kept_out = stage_of(row, at, held)
            yield Entry(
                job=Airing(words, at).job,
                booking=row.id,
                title=view.title,
                start=at,
                length=timedelta(0),
                bulletin_class=row.bulletin_class,
                drill=view.drill,
                stage=kept_out or (stage if stage in STILL else ""),
                reason=reasons.get((row.id, at), ""),
                is_past=at < now,
                is_below=below,
            )


def slots(area: str, since: datetime, until: datetime, now: datetime) -> Iterator[Entry]:
    """The items of the programmes that hold in the place, of its own and of those above it."""
    store, nameless = window().store, t("origin_item")
    known = store.programmes.standings()
    for place in (area, *ancestors(area)):
        for each in store.airing.week(place, since, until, now) if place in known else ():
            if each.booking or each.item.kind is Kind.ANNOUNCEMENTS or is_planned(store, each, now):
                continue
            title = each.item.asset or each.item.source or nameless
            name = f"{place}/{each.start:%Y%m%dt%H%M%S}/{title}"
            length = each.until - each.start
            yield Entry(name, "", title, each.start, length, BulletinClass.ORDINARY, is_past=each.start < now)


def is_planned(store: Store, each: Sounding, now: datetime) -> bool:
    """Whether a plan has it as a job: it stands in the week by that."""
    has_job = each.asset is not None or store.airing.source(each.item.source) is not None
    return has_job and now <= each.start <= now + HORIZON
