"""What was foreseen, as sentences: a conflict, an offer, the budget, the next moments. Pure.

- One sentence for each, in the reader's language; times are the station's, days as people here write them.
- A length that is estimated says so.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from controller.desk.foresight import Foreseen
from schedules import moments
from schedules.budget import Budget
from schedules.conflicts import Broadcast, Conflict, Turn
from schedules.offers import Offer
from words import say

MINUTE = timedelta(minutes=1)
SECOND = timedelta(seconds=1)
TICK, NO_TIME = timedelta(microseconds=1), timedelta(0)


@dataclass(frozen=True)
class Telling:
    """Who is told: the clock of ``zone``, the language, the moment, and what areas are called."""

    zone: str
    language: str
    now: datetime
    names: Mapping[str, str]

    def conflict(self, met: Conflict, estimated: bool = False) -> str:
        """``Lúc 17:00 ngày 25/11, 12 cụm loa đang phát “Bản tin sáng” (4 phút 10 giây); bản tin này …``."""
        begun = met.other.airing.start < met.at
        facts = {
            "time": self.clock(met.at),
            "day": self.day(met.at),
            "count": len(met.shared),
            "doing": self._say("foreseen.sounding" if begun else "foreseen.to_sound"),
            "title": self.title(met.other),
            "length": self.length(met.other.airing.length),
            "until": self.clock(met.until + (MINUTE - TICK if met.turn is Turn.ALIKE else NO_TIME)),
            "about": self._say("foreseen.about") if estimated and met.turn is not Turn.WAITS else "",
            "most": round(met.wanted.waits_for / MINUTE),
        }
        return self._say(f"foreseen.meets_{met.turn.value}", **facts)

    def offer(self, offer: Offer) -> str:
        """What it would be, as a button says it."""
        days = ", ".join(f"{each:%d/%m}" for each in offer.days)
        areas = ", ".join(self.names.get(each, each) for each in offer.areas)
        facts = {"time": self.clock(offer.start), "day": self.day(offer.start)} if offer.start else {}
        return self._say(f"foreseen.offer_{offer.kind.value}", days=days, areas=areas, **facts)

    def budget(self, spent: Budget, estimated: bool) -> str:
        """``Hôm nay: đã đặt 18 trong 45 phút; bản tin này thêm 2 phút.``, and the session where that is limited."""
        facts = {"day": self._named(spent), "used": _minutes(spent.used), "adds": self.length(spent.adds)}
        facts["about"] = self._say("foreseen.about") if estimated else ""
        parts = [self._say("foreseen.budget_free", **facts)]
        if spent.most is not None:
            parts = [self._say("foreseen.budget_day", most=spent.most, **facts)]
        if spent.session_most is not None:
            session = {"session": _minutes(spent.session), "most": spent.session_most}
            parts.append(self._say("foreseen.budget_session", **session))
        return " ".join(parts)

    def comings(self, foreseen: Foreseen) -> list[str]:
        """The next moments, each as a line."""
        return [f"{self.clock(each)} · {self._weekday(each)} {self.date(each)}" for each in foreseen.comings]

    def title(self, broadcast: Broadcast) -> str:
        """What sounds; a part of a slot says what it is."""
        return self._say(
            f"foreseen.part_{broadcast.kind}" if broadcast.kind else "foreseen.part_booking", title=broadcast.title
        )

    def clock(self, moment: datetime) -> str:
        """``17:00``."""
        return f"{moments.local(moment, self.zone):%H:%M}"

    def day(self, moment: datetime) -> str:
        """``25/11``; with the year when it is another one."""
        there, here = moments.local(moment, self.zone), moments.local(self.now, self.zone)
        return f"{there:%d/%m}" if there.year == here.year else f"{there:%d/%m/%Y}"

    def date(self, moment: datetime) -> str:
        """``25/11/2026``."""
        return f"{moments.local(moment, self.zone):%d/%m/%Y}"

    def length(self, length: timedelta) -> str:
        """``4 phút 10 giây``."""
        minutes, seconds = divmod(round(length / SECOND), 60)
        parts = [self._say("foreseen.minutes", count=minutes)] if minutes else []
        parts += [self._say("foreseen.seconds", count=seconds)] if seconds or not minutes else []
        return " ".join(parts)

    def _named(self, spent: Budget) -> str:
        if spent.day == moments.local(self.now, self.zone).date():
            return self._say("foreseen.budget_today")
        return self._say("foreseen.budget_on", day=f"{spent.day:%d/%m/%Y}")

    def _weekday(self, moment: datetime) -> str:
        return self._say(f"foreseen.weekday_{moments.local(moment, self.zone).weekday()}")

    def _say(self, key: str, **facts: object) -> str:
        return say(key, self.language, **facts)


def _minutes(length: timedelta) -> int:
    return -(-length // MINUTE)
