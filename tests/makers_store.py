"""Makers of people, places, announcements and messages from nodes, each right unless told otherwise."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from controller.desk import DeskError
from controller.rights import FIRST, Grant, Role
from controller.roster import Area, AreaKind, Node
from controller.store import Store
from controller.store.rows import Announcement, AnnouncementState, AssetRow, BookingRow, Session, User
from wire import codec, seal, topics
from wire.health import Health, Vitals
from wire.link import Message
from wire.presence import Presence, State
from wire.receipt import Measured, Receipt, Receipts, Step
from wire.seal import Signer

NOW = datetime(2026, 11, 24, 3, 0, tzinfo=UTC)  # 10:00 in Việt Nam
PROVINCE, COMMUNE, HAMLET = "lang-son", "lang-son:dong-dang", "lang-son:dong-dang:thon-1"
OTHER_COMMUNE, GROUP = "lang-son:na-sam", "truong-hoc"
SHA = hashlib.sha256(b"sound").hexdigest()


def signer(name: str) -> Signer:
    """The key of the node of that name; the same name, the same key."""
    return Signer(hashlib.sha256(name.encode()).digest())


def node(name: str = "loa-1", home: str = HAMLET, groups: tuple[str, ...] = (), **rest: Any) -> Node:
    return Node(name, f"Cụm {name}", home, signer(name).public.hex, NOW, groups, **rest)


def user(name: str = "lan", role: Role = Role.EDITOR, area: str = "*", **rest: Any) -> User:
    """Somebody with ``role``; an approver orders emergencies too, an administrator does everything."""
    return User(f"u-{name}", name, area, NOW, **{"grants": held(f"u-{name}", role, area), **rest})


def held(user_id: str, role: Role, area: str, **rest: Any) -> tuple[Grant, ...]:
    roles = {Role.APPROVER: (Role.APPROVER, Role.EMERGENCY), Role.ADMINISTRATOR: FIRST}.get(role, (role,))
    return tuple(Grant(f"g-{user_id}-{each}", each, area, user_id, NOW, **rest) for each in roles)


def session(token_hash: str = "h1", name: str = "lan", at: datetime = NOW, device: str = "Chrome · Android") -> Session:
    return Session(token_hash, f"u-{name}", at, at + timedelta(hours=1), device, at)


def announcement(number: int = 1, **changes: Any) -> Announcement:
    values = {"id": f"a{number}", "title": f"Bản tin {number}", "text": "Xin chào bà con.", "author": "u-lan"}
    return Announcement(**{**values, "created_at": NOW, "updated_at": NOW, **changes})


def booking(number: int = 1, **changes: Any) -> BookingRow:
    values = {"id": f"b{number}", "announcement": f"a{number}", "areas": (COMMUNE,), "created_by": "u-lan"}
    return BookingRow(**{**values, "start": NOW + timedelta(hours=1), "created_at": NOW, **changes})


def asset(sha256: str = SHA) -> AssetRow:
    return AssetRow(sha256, 40_000, 10_000, "audio/ogg", "espeak", NOW, -16.0, -1.5)


def furnish(store: Store) -> None:
    """Areas, three nodes in two communes, an editor, an approver and an administrator."""
    kinds = {PROVINCE: AreaKind.PROVINCE, COMMUNE: AreaKind.COMMUNE, HAMLET: AreaKind.HAMLET}
    for name, kind in {**kinds, OTHER_COMMUNE: AreaKind.COMMUNE, GROUP: AreaKind.GROUP}.items():
        store.roster.add_area(Area(name, name.title(), kind))
    for each in (node("loa-1"), node("loa-2", COMMUNE, (GROUP,)), node("loa-3", OTHER_COMMUNE)):
        store.roster.add_node(each)
    for each in (user(), user("hoa", Role.APPROVER), user("quan", Role.ADMINISTRATOR)):
        store.people.add(each)


def on_the_air(store: Store, number: int = 1, **changes: Any) -> BookingRow:
    """An approved, voiced announcement and its booking; `furnish` has been called."""
    store.assets.put(asset())
    made = announcement(number, state=AnnouncementState.APPROVED)
    row = booking(number, **changes)
    store.announcements.create(made, row)
    assert store.announcements.set_voiced(made.id, made.script_hash, SHA)
    return row


def receipt(number: int = 1, job: str = "b1", step: Step = Step.ACCEPTED, **changes: Any) -> Receipt:
    values = {
        "number": number,
        "job": job,
        "step": step,
        "at": NOW + timedelta(seconds=min(number, 9)),
        "planned_start": NOW,
    }
    if step is Step.SOUNDED:
        end = NOW + timedelta(seconds=10)
        values["measured"] = Measured(NOW, end, 3.5, 10_000, -20.1, -3.0, "file")
    return Receipt(**{**values, **changes})


def batch(*receipts: Receipt, node: str = "loa-1", stream: str = "s1") -> Receipts:
    return Receipts(node, stream, receipts)


def health(node: str = "loa-1", at: datetime = NOW, **vitals: Any) -> Health:
    return Health(node, at, "boot-1", "0.1.0", Vitals(**vitals))


def presence(node: str = "loa-1", state: State = State.ONLINE, at: datetime = NOW, boot: str = "boot-1") -> Presence:
    return Presence(node, state, boot, at, "0.1.0")


def said(message: Health | Presence, topic_of: str = "") -> Message:
    """As it arrives on its node's topic (or on that of ``topic_of``)."""
    line = topics.HEALTH if isinstance(message, Health) else topics.PRESENCE
    return Message(line.topic(node=topic_of or message.node), codec.write(message))


def sealed(receipts: Receipts, by: Signer | None = None, kind: str = "receipts", topic_of: str = "") -> Message:
    """A batch sealed by its node's own key, or by another."""
    raw = seal.seal(kind, codec.write(receipts), by or signer(receipts.node))
    return Message(topics.RECEIPTS.topic(node=topic_of or receipts.node), raw)


class Bell:
    """Counts how often it was rung."""

    def __init__(self) -> None:
        self.rings = 0

    def __call__(self) -> None:
        self.rings += 1


def refused(call: Any, *arguments: Any) -> str:
    """The key of the DeskError that the call must raise; both languages can say it."""
    with pytest.raises(DeskError) as refusal:
        call(*arguments)
    assert all(refusal.value.say(language) for language in ("vi", "en"))
    return refusal.value.key.removeprefix("desk.")
