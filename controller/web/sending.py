"""From a compose form to a wish at the desk: the draft that is voiced, and the sending that books it."""

from __future__ import annotations

from controller.desk import DeskError, Draft, Placing, Wish
from controller.roster import AreaKind
from controller.store.rows import Announced, Announcement, AnnouncementState, User
from controller.web.forms import Typed, class_of, start_of
from controller.web.window import Window
from wire.plan import BulletinClass, Level

_OVERTAKEN = {"desk.stale", "desk.wrong_state"}
_LEVELS = {
    AreaKind.PROVINCE: Level.PROVINCE,
    AreaKind.DISTRICT: Level.DISTRICT,
    AreaKind.COMMUNE: Level.COMMUNE,
    AreaKind.HAMLET: Level.COMMUNE,
    AreaKind.GROUP: Level.COMMUNE,
}


def draft_of(typed: Typed, who: User, window: Window) -> Announcement | None:
    """The draft that this form already made, if it is this person's and still a draft."""
    draft = window.store.announcements.get(typed.draft) if typed.draft else None
    mine = draft is not None and draft.author == who.id and draft.state is AnnouncementState.DRAFT
    return draft if mine else None


def keep_draft(typed: Typed, who: User, window: Window) -> Announcement:
    """The form's text as a draft: the one it made before, brought up to date, or a new one. Raises DeskError."""
    wanted = Draft(
        text=typed.text,
        title=typed.title,
        bulletin_class=class_of(typed) or BulletinClass.ORDINARY,
        level=level_of(who, window),
    )
    draft = draft_of(typed, who, window)
    if draft is None:
        wish = Wish(
            text=wanted.text, title=wanted.title, bulletin_class=wanted.bulletin_class, level=wanted.level, draft=True
        )
        made = window.store.announcements.get(window.desk.announce(wish, who, window.now()).announcement_id)
        assert made is not None
        return made
    same = (draft.text, draft.bulletin_class) == (wanted.text.strip(), wanted.bulletin_class)
    if same and (draft.title == wanted.title or not wanted.title):
        return draft
    return window.desk.edit(draft.id, draft.version, wanted, who, window.now())


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


def _book(typed: Typed, who: User, window: Window) -> Announced:
    start = start_of(typed, window.settings.zone)
    if draft_of(typed, who, window) is not None:
        draft = keep_draft(typed, who, window)
        return window.desk.submit(draft.id, Placing(typed.areas, start, typed.key), who, window.now())
    wish = Wish(
        text=typed.text,
        title=typed.title,
        areas=typed.areas,
        start=start,
        bulletin_class=class_of(typed) or BulletinClass.ORDINARY,
        level=level_of(who, window),
        idempotency_key=typed.key,
    )
    return window.desk.announce(wish, who, window.now())


def level_of(who: User, window: Window) -> Level:
    """The level a person speaks at: that of the area they answer for; the commune's for whoever answers for all."""
    area = window.store.roster.area(who.area) if who.area != "*" else None
    return _LEVELS[area.kind] if area else Level.COMMUNE
