"""The rules that a wish must keep. Pure: what is known is handed in; what is wrong is raised as `DeskError`.

- Quiet hours are checked here so that a person learns it at once; the node enforces them whatever we plan.
"""

from __future__ import annotations

import unicodedata
from dataclasses import replace
from datetime import datetime, time, timedelta

from controller import newsroom
from controller.desk.wishes import DeskError, OwnApproval
from controller.store.rows import BookingRow, RecordingRow
from schedules import moments, policy
from schedules.booking import WhenCut
from schedules.calendars import Recurrence, RuleError, end_of, occurrences
from wire.config import QuietHours
from wire.plan import BulletinClass

MOST_CHARS = 20_000
MOST_TITLE_CHARS = 200
MOST_REASON_CHARS = 1_000
DERIVED_TITLE_CHARS = 80
MOST_TIMES = 10
MOST_EXCEPTIONS = 400
LOOKED_AT = 400  # of a recurring booking, how many moments are held against the quiet hours
PAST_GRACE = timedelta(seconds=60)  # a form that lay open for a moment
FARTHEST = timedelta(days=366)
LEAST_PASSWORD_CHARS = 8
MOST_PASSWORD_CHARS = 200

_OF_THE_DAY = ("BYHOUR", "BYMINUTE", "BYSECOND", "UNTIL")  # what of a rule says when on its days, and when no more


def may_approve(may: bool, own: bool, bulletin_class: BulletinClass, setting: OwnApproval) -> bool:
    """Whether somebody lets this on the air: they ``may`` by their rights, and it is not their ``own``, or may be."""
    emergency = bulletin_class is BulletinClass.EMERGENCY
    allowed = setting is OwnApproval.ALWAYS or (setting is OwnApproval.ORDINARY and not emergency)
    return may and (not own or allowed)


def text(written: str, recorded: RecordingRow | None = None) -> str:
    """The text with its line breaks made one kind and stray control characters gone. Raises DeskError.

    Where something was ``recorded`` it may be empty.
    """
    broken = written.replace("\r\n", "\n").replace("\r", "\n")
    kept = "".join(each for each in broken if each in "\n\t" or unicodedata.category(each) not in {"Cc", "Cs"})
    tidy = unicodedata.normalize("NFC", kept).strip()
    if recorded is None and not newsroom.has_words(tidy):
        raise DeskError("desk.empty_text")
    if len(tidy) > MOST_CHARS:
        raise DeskError("desk.text_too_long", chars=len(tidy), most=MOST_CHARS)
    return tidy


def title(wanted: str, words: str) -> str:
    """The title asked for, or the first line of the words. Raises ``bad_title``."""
    tidy = unicodedata.normalize("NFC", wanted).strip()
    if not tidy:
        line = words.splitlines()[0].strip()
        return line if len(line) <= DERIVED_TITLE_CHARS else line[: DERIVED_TITLE_CHARS - 1].rstrip() + "…"
    if len(tidy) > MOST_TITLE_CHARS or any(unicodedata.category(each) in {"Cc", "Cs"} for each in tidy):
        raise DeskError("desk.bad_title", most=MOST_TITLE_CHARS)
    return tidy


def times(wanted: int) -> int:
    """How often the words are to be heard in one broadcast. Raises ``bad_times``."""
    if not 1 <= wanted <= MOST_TIMES:
        raise DeskError("desk.bad_times", most=MOST_TIMES)
    return wanted


def after_cut(wanted: WhenCut | None, bulletin_class: BulletinClass) -> WhenCut:
    """What becomes of it when it is cut into. An emergency begins again, whatever else is asked. Raises DeskError."""
    emergency = bulletin_class is BulletinClass.EMERGENCY
    if emergency and wanted not in (None, WhenCut.RESTART):
        raise DeskError("desk.emergency_restarts")
    return wanted or (WhenCut.RESTART if emergency else WhenCut.RESUME)


def start(
    wanted: datetime | None, bulletin_class: BulletinClass, now: datetime, zone: str, quiet: QuietHours
) -> datetime | None:
    """The start asked for, if a job of this class may begin then. Raises DeskError."""
    begin = wanted or now
    shown = f"{moments.local(begin, zone):%H:%M %d/%m/%Y}"
    if begin < now - PAST_GRACE:
        raise DeskError("desk.past_time", time=shown)
    if begin > now + FARTHEST:
        raise DeskError("desk.too_far", time=shown, days=FARTHEST.days)
    if not policy.may_sound(bulletin_class, begin, quiet, zone):
        raise DeskError("desk.quiet_hours", time=shown, since=quiet.since, until=quiet.until)
    return wanted


def recurring(
    recurrence: Recurrence, first: datetime | None, bulletin_class: BulletinClass, now: datetime
) -> list[datetime]:
    """The moments within a year at which it comes. Raises DeskError, also when there are none."""
    if first is None:
        raise DeskError("desk.recurring_now")
    if bulletin_class is BulletinClass.EMERGENCY:
        raise DeskError("desk.recurring_emergency")
    if len(recurrence.but) > MOST_EXCEPTIONS:
        raise DeskError("desk.too_many_exceptions", most=MOST_EXCEPTIONS)
    try:
        found = occurrences(recurrence, first, max(now, first), now + FARTHEST)
    except (RuleError, moments.BadMoment) as wrong:
        raise DeskError(wrong.key, **wrong.facts) from None
    if not found:
        raise DeskError("desk.never_comes")
    return found


def at_hour(kept: Recurrence, first: datetime, hour: datetime) -> tuple[Recurrence, datetime]:
    """The same days at the time of day of ``hour``, and the first possible moment of that.

    From ``first`` on its weeks are counted, so its day stays; a day that the rule still came on stays its last.
    Raises DeskError.
    """
    try:
        return _at_hour(kept, first, hour)
    except (RuleError, moments.BadMoment) as wrong:
        raise DeskError(wrong.key, **wrong.facts) from None


def _at_hour(kept: Recurrence, first: datetime, hour: datetime) -> tuple[Recurrence, datetime]:
    came, there = moments.local(first, kept.zone), moments.local(hour, kept.zone)
    rule = kept.rule.strip().upper().removeprefix("RRULE:")
    days = ";".join(part for part in rule.split(";") if part.partition("=")[0].strip() not in _OF_THE_DAY)
    until = end_of(kept)
    if until is not None:
        last = moments.local(until, kept.zone)
        short = timedelta(days=1) if last.timetz() < came.timetz() else timedelta()
        until = moments.at_local(last.date() - short, time(23, 59, 59), kept.zone)
    return replace(kept, rule=days, until=until), moments.at_local(came.date(), there.time(), kept.zone)


def reason(written: str, missing: str) -> str:
    """Why something is not let on the air, whole. Raises DeskError: ``missing`` where nothing was written."""
    tidy = written.replace("\r\n", "\n").strip()
    if not tidy:
        raise DeskError(missing)
    if len(tidy) > MOST_REASON_CHARS:
        raise DeskError("desk.reason_too_long", chars=len(tidy), most=MOST_REASON_CHARS)
    return tidy


def still_to_come(booking: BookingRow, now: datetime, zone: str, quiet: QuietHours) -> None:
    """Raises DeskError when a booking can no longer be approved: its time is past, or "now" is quiet."""
    if booking.recurrence is not None and booking.start is not None:
        recurring(booking.recurrence, booking.start, booking.bulletin_class, now)
        return
    if booking.slot is not None:
        return
    if booking.start is not None and booking.start < now - PAST_GRACE:
        raise DeskError("desk.too_late", time=f"{moments.local(booking.start, zone):%H:%M %d/%m/%Y}")
    if booking.start is None:
        start(None, booking.bulletin_class, now, zone, quiet)


def password(wanted: str) -> str:
    """Raises ``weak_password`` for one that is too short (or absurdly long)."""
    if not LEAST_PASSWORD_CHARS <= len(wanted) <= MOST_PASSWORD_CHARS:
        raise DeskError("desk.weak_password", least=LEAST_PASSWORD_CHARS)
    return wanted
