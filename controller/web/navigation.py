"""THE WAYS: which pages stand in the bar, in order, and who sees them. A new page is one line of `WAYS`.

- Phones show the first four ways that this person may go, and "more"; wide screens a row in groups, and the rest in
  "more". "More" is a ``<details>``: it opens without JavaScript.
- A way is seen by right, never by role; what waits behind it is counted once for a page.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum

from flask import request

from controller.rights import Permission
from controller.web import alarms, approval, inbox, unheard
from controller.web.doors import may

ON_A_PHONE = 4  # beside "more"


class Group(StrEnum):
    """For whom a page mainly is; its heading is ``nav_group_`` and the name."""

    COMMUNE = "commune"
    PROVINCE = "province"
    STATION = "station"


@dataclass(frozen=True)
class Way:
    """A page of the bar.

    ``view``: its endpoint; ``drawing``: of icons.svg; ``words``: the key of its name; ``acts``: one of them opens it,
    somewhere; ``count``: how many things wait behind it; ``within``: other blueprints whose pages belong to it;
    ``in_row``: whether it stands in the row of a wide screen, else in "more".
    """

    view: str
    drawing: str
    words: str
    group: Group
    acts: tuple[Permission, ...] = (Permission.READ,)
    count: Callable[[], int] | None = None
    within: tuple[str, ...] = ()
    in_row: bool = True

    @property
    def name(self) -> str:
        """What its parts of a page are called."""
        return self.view.partition(".")[0]

    def is_here(self, blueprint: str | None) -> bool:
        """Whether the page that is shown belongs to it."""
        return blueprint is not None and blueprint in (self.name, *self.within)


@dataclass(frozen=True)
class Seen:
    """A way as a page shows it: ``count`` things wait, it ``is_here``, and stands in the bar of a phone or not."""

    way: Way
    count: int
    is_here: bool
    on_phone: bool


@dataclass(frozen=True)
class Bar:
    """All ways that this person may go, by group in order."""

    groups: tuple[tuple[Group, tuple[Seen, ...]], ...]

    @property
    def hidden_count(self) -> int:
        """How much waits behind what a phone shows in "more" only."""
        return sum(each.count for _, some in self.groups for each in some if not each.on_phone)

    @property
    def is_in_more(self) -> bool:
        """Whether the page that is shown stands in "more" on a phone."""
        return any(each.is_here and not each.on_phone for _, some in self.groups for each in some)

    @property
    def is_out_of_row(self) -> bool:
        """Whether the page that is shown stands in "more" on a wide screen."""
        return any(each.is_here and not each.way.in_row for _, some in self.groups for each in some)


P, G = Permission, Group
WAYS = (
    Way("home.front", "home", "nav_home", G.COMMUNE, (P.READ, P.WRITE, P.WARN)),
    Way("compose.form", "write", "nav_compose", G.COMMUNE, (P.WRITE, P.WARN), within=("recording", "teaching")),
    Way("calendar.week", "plan", "nav_calendar", G.COMMUNE, within=("bookings", "week", "programme", "programme_edit")),
    Way("approval.waiting", "stamp", "nav_approval", G.COMMUNE, (P.APPROVE, P.WARN), approval.count_waiting),
    Way("inbox.list_", "inbox", "nav_inbox", G.COMMUNE, (P.WRITE,), inbox.count_waiting),
    Way("bulletins.list_", "shelf", "nav_bulletins", G.COMMUNE),
    Way("overview.shown", "screen", "nav_overview", G.PROVINCE),
    Way("alarms.list_", "bell", "nav_alarms", G.PROVINCE, count=alarms.count_waiting),
    Way("nodes.list_", "horn", "nav_nodes", G.PROVINCE, within=("enrolling",)),
    Way("asrun.log", "log", "nav_asrun", G.PROVINCE, in_row=False),
    Way("unheard.list_", "horn", "nav_unheard", G.COMMUNE, count=unheard.count_waiting, in_row=False),
    Way("lexicon.list_", "book", "nav_lexicon", G.COMMUNE, in_row=False),
    Way("reports.shown", "log", "nav_reports", G.PROVINCE, in_row=False),
    Way("areas.tree", "map", "nav_areas", G.STATION, (P.PLACES,), in_row=False),
    Way("people.list_", "people", "nav_people", G.STATION, (P.PEOPLE,), in_row=False),
    Way("keys.shown", "key", "nav_keys", G.STATION, (P.KEYS,), in_row=False),
    Way("acts.log", "book", "nav_acts", G.STATION, (P.AUDIT,), in_row=False),
    Way("machine.shown", "screen", "nav_machine", G.STATION, (P.AUDIT, P.EQUIP), in_row=False),
    Way("settings.shown", "slide", "nav_settings", G.STATION, (P.AUDIT,), in_row=False),
)


def bar() -> Bar:
    """The bar of whoever is signed in, on the page that is shown."""
    return laid((way for way in WAYS if any(map(may, way.acts))), request.blueprint)


def laid(open_: Iterable[Way], blueprint: str | None) -> Bar:
    """The bar of these ways, shown by a page of ``blueprint``: the first four stand on a phone."""
    seen = [
        Seen(way, way.count() if way.count else 0, way.is_here(blueprint), number < ON_A_PHONE)
        for number, way in enumerate(open_)
    ]
    grouped = ((group, tuple(each for each in seen if each.way.group is group)) for group in Group)
    return Bar(tuple((group, some) for group, some in grouped if some))
