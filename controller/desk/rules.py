"""The rules that a wish must keep. Pure: what is known is handed in; what is wrong is raised as `DeskError`.

- Quiet hours are checked here so that a person learns it at once; the node enforces them whatever we plan.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

from controller import newsroom
from controller.desk.wishes import DeskError, OwnApproval
from controller.roster import AreaKind, Node
from controller.store.rows import BookingRow, RecordingRow, Role, User
from schedules import moments, policy
from schedules.calendars import Recurrence, RuleError, occurrences
from wire.config import QuietHours
from wire.names import lies_within
from wire.plan import BulletinClass

MOST_CHARS = 20_000
MOST_TITLE_CHARS = 200
DERIVED_TITLE_CHARS = 80
MOST_AREAS = 500
MOST_TIMES = 10
MOST_EXCEPTIONS = 400
LOOKED_AT = 400  # of a recurring booking, how many moments are held against the quiet hours
PAST_GRACE = timedelta(seconds=60)  # a form that lay open for a moment
FARTHEST = timedelta(days=366)
LEAST_PASSWORD_CHARS = 8
MOST_PASSWORD_CHARS = 200

_RANK = {Role.EDITOR: 0, Role.APPROVER: 1, Role.ADMINISTRATOR: 2}


def may(who: User, role: Role) -> bool:
    """Whether ``who`` has at least ``role``."""
    return not who.disabled and _RANK[who.role] >= _RANK[role]


def need(who: User, role: Role) -> None:
    """Raises ``not_allowed`` unless ``who`` has at least ``role``."""
    if not may(who, role):
        raise DeskError("desk.not_allowed", name=who.name)


def may_approve(who: User, author: str, bulletin_class: BulletinClass, own: OwnApproval) -> bool:
    """Whether ``who`` may let on the air what ``author`` (a user's id) wrote."""
    if not may(who, Role.APPROVER):
        return False
    emergency = bulletin_class is BulletinClass.EMERGENCY
    return author != who.id or own is OwnApproval.ALWAYS or (own is OwnApproval.ORDINARY and not emergency)


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


def areas(wanted: Iterable[str], kinds: Mapping[str, AreaKind], nodes: Iterable[Node], who: User) -> tuple[str, ...]:
    """The areas asked for, each once: known, and all within what ``who`` speaks for. Raises DeskError."""
    chosen = tuple(dict.fromkeys(wanted))
    if not chosen:
        raise DeskError("desk.no_area")
    if len(chosen) > MOST_AREAS:
        raise DeskError("desk.too_many_areas", most=MOST_AREAS)
    homes = {node.id: node.home for node in nodes}
    for area in chosen:
        if area not in kinds and area not in homes:
            raise DeskError("desk.unknown_area", area=area[:80])
        if not lies_within(homes.get(area, area), who.area):
            raise DeskError("desk.not_your_area", area=area, name=who.name)
    return chosen


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
