"""Báo cáo: what a period was, by commune, kind and day; on the screen, on paper, as a table for Excel or any program.

- It reads sums that the station has added up (`controller.yearbook`, `controller.tallies`), and no receipt.
- A month that is not over ends with the last full hour that was added up.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from datetime import date, datetime, time, timedelta
from typing import Any
from urllib.parse import urlencode

from flask import Blueprint, Response, abort, render_template, request, url_for
from flask.typing import ResponseReturnValue

from controller.rights import Permission
from controller.roster import Area, AreaKind
from controller.store.tallies import CommuneState, OtherStations
from controller.store.yearbook import SUMS, AiredDay
from controller.web import reading, workbook
from controller.web.doors import door, sees
from controller.web.downloads import handed_out, safe_cell
from controller.web.forms import Problem
from controller.web.language import t
from controller.web.times import written_day
from controller.web.window import window
from schedules import moments
from wire.names import lies_within
from wire.plan import BulletinClass

pages = Blueprint("reports", __name__)

KINDS = (*(each.value for each in BulletinClass), "drill", "item")
MOST_DAYS = 366
COLUMNS = (
    *("area", "nodes", "there", "jobs", "jobs_sounded", "sounded", "missed", "otherwise", "reached", "minutes"),
    *("wired", "fm", "ict"),
)
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


@dataclass(frozen=True)
class Asked:
    """The form: from a day to a day, both included, in one area and of one kind, where those are named."""

    since: date
    until: date
    area: str = ""
    kind: str = ""

    @property
    def address(self) -> str:
        """The same as a query."""
        days = {"tu-ngay": f"{self.since:%d/%m/%Y}", "den-ngay": f"{self.until:%d/%m/%Y}"}
        return urlencode(days | {k: v for k, v in (("dia-ban", self.area), ("loai", self.kind)) if v})


@dataclass(frozen=True)
class Line:
    """A commune (or all of them): its loudspeakers now, the share of time that they were there, and what was aired.

    ``there`` None: nothing was known. ``wired``, ``fm``, ``ict``: stations of each kind.
    """

    name: str
    nodes: int
    there: float | None
    aired: AiredDay
    wired: int = 0
    fm: int = 0

    @property
    def ict(self) -> int:
        """Stations on this system."""
        return int(self.nodes > 0)

    @property
    def reached(self) -> float | None:
        """Of all loudspeakers on which a bulletin should have sounded, the share on which it did."""
        return share(self.aired.sounded, self.aired.sounded + self.aired.missed + self.aired.otherwise)

    @property
    def minutes(self) -> int:
        """Air minutes, each bulletin once."""
        return round(self.aired.longest_ms / 60_000)


@dataclass(frozen=True)
class Report:
    """All that a report says."""

    asked: Asked
    lines: tuple[Line, ...]
    total: Line
    kinds: tuple[AiredDay, ...]
    days: tuple[AiredDay, ...]


@pages.get("/bao-cao")
@door(Permission.READ)
def shown() -> ResponseReturnValue:
    """The report of a period; of this month, where none is asked for."""
    wrong: list[Problem] = []
    asked = read(wrong)
    view: dict[str, Any] = {
        "areas": [each for each in reading.own_areas() if each.kind is AreaKind.COMMUNE],
        "kinds": KINDS,
    }
    today = moments.local(window().now(), window().settings.zone).date()
    view |= {"title": title(asked), "months": months(today), "written": written}
    view |= {form: f"{url_for('.file', form=form)}?{asked.address}" for form in ("xlsx", "csv")}
    page = render_template("reports.html", r=report(asked), problems=wrong, typed=request.args, **view)
    return page, 422 if wrong else 200


@pages.get("/bao-cao/bang.<form>")
@door(Permission.READ)
def file(form: str) -> Response:
    """The same as a file: ``xlsx`` or ``csv``. No cell is a formula."""
    wrong: list[Problem] = []
    made = report(read(wrong))
    if wrong or form not in ("xlsx", "csv"):
        abort(404)
    parts = ("bao-cao", made.asked.since.isoformat(), made.asked.until.isoformat(), made.asked.area)
    if form == "xlsx":
        return handed_out(workbook.written(sheets(made)), parts, "xlsx", XLSX)
    out = io.StringIO()
    csv.writer(out).writerows([safe_cell(cell) for cell in row] for row in table(made))
    return handed_out("\ufeff" + out.getvalue(), parts, "csv", "text/csv; charset=utf-8")


def read(wrong: list[Problem]) -> Asked:
    """What was asked for; what cannot be understood is added to what is ``wrong``, and this month stands for it."""
    today = moments.local(window().now(), window().settings.zone).date()
    area, kind = request.args.get("dia-ban", "")[:200], request.args.get("loai", "")
    if area and not sees(area):
        abort(404)
    days = {"since": today.replace(day=1), "until": today}
    for field, name in (("since", "tu-ngay"), ("until", "den-ngay")):
        written = request.args.get(name, "")[:20].strip()
        day = written_day(written) if written else days[field]
        if day is None or day.year < 2000:
            wrong.append(Problem(field, t("bulletins_bad_day", written=written)))
        else:
            days[field] = day
    if not wrong and days["until"] < days["since"]:
        wrong.append(Problem("until", t("report_backwards")))
    if not wrong and days["until"] - days["since"] >= timedelta(days=MOST_DAYS):
        wrong.append(Problem("until", t("report_too_long", most=MOST_DAYS)))
    if wrong:
        days = {"since": today.replace(day=1), "until": today}
    return Asked(days["since"], days["until"], area, kind if kind in KINDS else "")


def report(asked: Asked) -> Report:
    """The report of this person's communes."""
    here = window()
    communes = [each for each in here.store.roster.areas() if each.kind is AreaKind.COMMUNE and wanted(each, asked)]
    mine = {each.id for each in communes}
    found = [
        row
        for row in here.store.yearbook.by_area(asked.since.isoformat(), asked.until.isoformat())
        if row.area in mine and asked.kind in ("", row.kind)
    ]
    begin, end = (at(day) for day in (asked.since, asked.until + timedelta(days=1)))
    there = here.store.tallies.availability(begin, end)
    states = {each.area: each for each in here.store.tallies.states()}
    others = here.store.tallies.other_stations()
    lines = tuple(line(each, found, there, (states.get(each.id), others.get(each.id))) for each in communes)
    days = here.store.yearbook.by_day(asked.since.isoformat(), asked.until.isoformat(), sorted(mine))
    days = [row for row in days if asked.kind in ("", row.kind)]
    return Report(
        asked,
        lines,
        total(lines, [pair for area, pair in there.items() if area in mine]),
        grouped(found, "kind"),
        grouped(days, "day"),
    )


def wanted(area: Area, asked: Asked) -> bool:
    """Whether a commune belongs into the report."""
    return sees(area.id) and (not asked.area or lies_within(area.id, asked.area) or lies_within(asked.area, area.id))


def line(
    area: Area,
    found: Iterable[AiredDay],
    there: Mapping[str, tuple[int, int]],
    known: tuple[CommuneState | None, OtherStations | None],
) -> Line:
    """What the report says of a commune."""
    state, other = known
    aired = summed(row for row in found if row.area == area.id)
    stations = (other.wired, other.fm) if other else (0, 0)
    return Line(area.name, state.nodes if state else 0, share(*there.get(area.id, (0, 0))), aired, *stations)


def total(lines: Iterable[Line], there: Iterable[tuple[int, int]]) -> Line:
    """All communes together; ``there``: seconds online and known of each."""
    found, known = list(lines), list(there)
    online = share(sum(pair[0] for pair in known), sum(pair[1] for pair in known))
    sums = (sum(getattr(each, name) for each in found) for name in ("wired", "fm"))
    return Line(t("report_all"), sum(each.nodes for each in found), online, summed(e.aired for e in found), *sums)


def grouped(rows: Iterable[AiredDay], by: str) -> tuple[AiredDay, ...]:
    """Sums by ``day`` or ``kind``, in order."""
    held: dict[str, list[AiredDay]] = {}
    for row in rows:
        held.setdefault(getattr(row, by), []).append(row)
    names = [kind for kind in KINDS if kind in held] if by == "kind" else sorted(held)
    return tuple(summed(held[name], **{by: name}) for name in names)


def summed(rows: Iterable[AiredDay], day: str = "", kind: str = "") -> AiredDay:
    """All ``rows`` together."""
    found = list(rows)
    return AiredDay(day, "", kind, **{name: sum(getattr(row, name) for row in found) for name in SUMS})


def share(part: int, whole: int) -> float | None:
    """``part`` of ``whole``, 0 to 1; None of nothing."""
    return min(1.0, part / whole) if whole else None


def at(day: date) -> datetime:
    """When a day begins here."""
    return moments.at_local(day, time(), window().settings.zone)


def table(made: Report) -> list[list[object]]:
    """The communes as rows of cells, with a head and a foot; shares as numbers 0 to 1."""
    rows: list[list[object]] = [[t(f"report_{name}") for name in COLUMNS]]
    for each in (*made.lines, made.total):
        ict = sum(one.ict for one in made.lines) if each is made.total else each.ict
        counts: dict[str, Any] = {field.name: getattr(each.aired, field.name) for field in fields(AiredDay)}
        told = counts | {"area": each.name, "nodes": each.nodes, "there": rounded(each.there), "ict": ict}
        told |= {"reached": rounded(each.reached), "minutes": each.minutes, "wired": each.wired, "fm": each.fm}
        rows.append([told[name] for name in COLUMNS])
    return rows


def rounded(value: float | None) -> object:
    """A share with four digits; empty where there is none."""
    return "" if value is None else round(value, 4)


def sheets(made: Report) -> dict[str, list[list[object]]]:
    """The report as sheets: by commune, by kind, by day."""
    head = [t(f"report_{name}") for name in ("jobs", "jobs_sounded", "sounded", "missed", "otherwise")]
    kinds: list[list[object]] = [
        [t("report_kind"), *head],
        *([t(f"report_kind_{row.kind}"), *cells(row)] for row in made.kinds),
    ]
    days: list[list[object]] = [[t("report_day"), *head], *([written(row.day), *cells(row)] for row in made.days)]
    return {t("report_by_area"): table(made), t("report_by_kind"): kinds, t("report_by_day"): days}


def cells(row: AiredDay) -> list[object]:
    """Sums as cells."""
    return [getattr(row, name) for name in SUMS[:5]]


def written(day: str) -> str:
    """An ISO day as people write it."""
    return f"{date.fromisoformat(day):%d/%m/%Y}"


def title(asked: Asked) -> str:
    """Of which days the report is."""
    return t("report_span", since=f"{asked.since:%d/%m/%Y}", until=f"{asked.until:%d/%m/%Y}")


def months(today: date) -> list[tuple[str, str]]:
    """The last months as ready choices: name, query."""
    found, first = [], today.replace(day=1)
    for _ in range(3):
        last = min(today, (first + timedelta(days=32)).replace(day=1) - timedelta(days=1))
        found.append((t("report_month", month=first.month, year=first.year), Asked(first, last).address))
        first = (first - timedelta(days=1)).replace(day=1)
    return found
