"""From a compose form to a wish at the desk: the draft that is voiced, and the sending that books it."""

from __future__ import annotations

from dataclasses import replace

from controller.desk import DeskError, Draft, Wish, reach
from controller.desk.foresight import Foreseen
from controller.store.rows import Announced, Announcement, AnnouncementState, BookingRow, User
from controller.web.forms import Typed, at_clock, class_of, timing_of
from controller.web.repeating import repeating_of
from controller.web.window import Window
from schedules.booking import WhenCut
from wire.plan import BulletinClass, Level

OPEN = (AnnouncementState.DRAFT, AnnouncementState.RETURNED)
MOST_DRAFTS = 10
_OVERTAKEN = {"desk.stale", "desk.wrong_state"}


def draft_of(typed: Typed, who: User, window: Window) -> Announcement | None:
    """The draft that this form already made, if it is this person's and still a draft."""
    draft = window.store.announcements.get(typed.draft) if typed.draft else None
    mine = draft is not None and draft.author == who.id and draft.state in OPEN
    return draft if mine else None


def is_overtaken(typed: Typed, who: User, window: Window) -> bool:
    """Whether the form's draft was sent or thrown away on another page; the same form again is not another."""
    held = window.store.announcements.get(typed.draft) if typed.draft else None
    mine: bool = held is not None and held.author == who.id and held.state not in OPEN
    return mine and window.desk.known(typed.key, who) is None


def keep_draft(typed: Typed, who: User, window: Window) -> Announcement:
    """The form's text as a draft: the one it made before, brought up to date, or a new one. Raises DeskError.

    ``desk.stale`` where the draft was changed, on another page, after its words came into this form.
    """
    draft = draft_of(typed, who, window)
    if draft is None:
        made = window.desk.announce(_wish(typed, who, window, draft=True), who, window.now())
        new = window.store.announcements.get(made.announcement_id)
        assert new is not None
        return new
    wanted = Draft(
        text=typed.text,
        title=typed.title or (draft.title if draft.recording else ""),
        bulletin_class=class_of(typed) or BulletinClass.ORDINARY,
        level=level_of(who, window),
        recording=draft.recording,
        times=typed.times,
        drill=typed.drill,
    )
    script = (wanted.text.strip(), wanted.bulletin_class.value, wanted.recording, wanted.times, wanted.drill)
    if script == draft.script and wanted.title in ("", draft.title):
        return draft
    return window.desk.edit(draft.id, typed.version, wanted, who, window.now())


def send(typed: Typed, who: User, window: Window) -> str:
    """Book what was typed; the booking's id. The same form again gives the same booking. Raises DeskError."""
    try:
        made = _book(typed, who, window)
    except DeskError as wrong:
        if wrong.key not in _OVERTAKEN:
            raise
        made = _book(typed, who, window)  # the twin of a double tap was first: the key leads to its booking
    assert made.booking_id is not None
    return made.booking_id


def foreseen(typed: Typed, who: User, window: Window) -> Foreseen:
    """What the form meets if it were sent now; nothing is written. Raises DeskError."""
    return window.desk.foresee(wish_of(typed, who, window), who, window.now(), typed.draft or None)


def wish_of(typed: Typed, who: User, window: Window) -> Wish:
    """What was typed, with its place and time. Raises TimingError."""
    timing = timing_of(typed, window.settings.zone)
    draft = draft_of(typed, who, window)
    return replace(
        _wish(typed, who, window),
        areas=typed.areas,
        start=timing.start,
        recurrence=timing.recurrence,
        slot=timing.slot,
        idempotency_key=typed.key,
        recording=draft.recording if draft else None,
        after_cut=None if typed.emergency else WhenCut(typed.after_cut),
    )


def _book(typed: Typed, who: User, window: Window) -> Announced:
    wish = wish_of(typed, who, window)
    if draft_of(typed, who, window) is not None:
        draft = keep_draft(typed, who, window)
        return window.desk.submit(draft.id, wish.placing, who, window.now())
    return window.desk.announce(wish, who, window.now())


def _wish(typed: Typed, who: User, window: Window, draft: bool = False) -> Wish:
    """What was typed, without a place and a time."""
    return Wish(
        text=typed.text,
        title=typed.title,
        bulletin_class=class_of(typed) or BulletinClass.ORDINARY,
        level=level_of(who, window),
        draft=draft,
        times=typed.times,
        drill=typed.drill,
    )


def taken_back(held: Announcement, who: User, window: Window) -> str:
    """Take back what was sent, and make a draft that says the same; its id. Raises DeskError.

    Once more, it is the draft that was made of it, as long as that is one.
    """
    window.desk.withdraw_announcement(held.id, who, window.now())
    return used_again(held, who, window, "revised")


def used_again(held: Announcement, who: User, window: Window, key: str) -> str:
    """A new draft that says the same; its id. What there was stays as it is. Raises DeskError.

    With the same ``key`` it is the same draft, as long as that is one.
    """
    wish = Wish(
        text=held.text,
        title=held.title,
        bulletin_class=held.bulletin_class,
        level=level_of(who, window),
        draft=True,
        recording=held.recording,
        times=held.times,
        drill=held.drill,
    )
    keyed = replace(wish, idempotency_key=f"{held.id}:{key}")
    draft = window.desk.announce(keyed, who, window.now()).announcement_id
    made = window.store.announcements.get(draft)
    if made is not None and made.state in OPEN:
        return draft
    return window.desk.announce(wish, who, window.now()).announcement_id


def drafts_of(who: User, window: Window) -> list[Announcement]:
    """What a person began and has not sent, or got back: the newest first."""
    found = [each for state in OPEN for each in window.store.announcements.list(None, state, [who.id])]
    return sorted(found, key=lambda each: each.updated_at, reverse=True)[:MOST_DRAFTS]


def typed_of(draft: Announcement, areas: tuple[str, ...], key: str) -> Typed:
    """The form that would make this draft."""
    return Typed(
        text=draft.text,
        title=draft.title,
        areas=areas,
        bulletin_class=draft.bulletin_class.value,
        draft=draft.id,
        version=draft.version,
        key=key,
        times=draft.times,
        drill=draft.drill,
    )


def placed(typed: Typed, booking: BookingRow, window: Window) -> Typed:
    """The form with the places and the time of a booking that there was; a time that is past is not kept."""
    typed, zone = replace(typed, areas=booking.areas, after_cut=booking.after_cut.value), window.settings.zone
    if booking.slot is not None:
        return replace(typed, when="slot", slot=booking.slot)
    if booking.start is None:
        return typed
    clocked = at_clock(typed, booking.start, zone)
    if booking.recurrence is not None:
        return replace(clocked, when="repeat", repeating=repeating_of(booking.recurrence))
    return replace(clocked, when="at") if booking.start > window.now() else typed


def level_of(who: User, window: Window) -> Level:
    """The level that a person speaks at."""
    return reach.level_of(window.store, who)
