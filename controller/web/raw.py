"""Raw records for whoever must look closely: every fact as it is kept, by its own name. Pure.

- Names and values are the wire's and the store's: what somebody quotes to a colleague is what stands there.
- What was not measured is left out, and so is what is empty.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

import msgspec

from controller.store import chain
from controller.store.alarm_rows import AlarmRow, MemberRow
from controller.store.chain import Link
from controller.store.facts import Condition

MOST_LINES, MOST_CHARS = 80, 300
CHANGE = " → "  # between what was and what is, in the detail of an act

Facts = list[tuple[str, str]]


def of_alarm(row: AlarmRow) -> Facts:
    """The alarm itself."""
    return list(flat(vars(row)))


def of_member(member: MemberRow, condition: Condition | None) -> Facts:
    """What an alarm knows of one, then what that one said of itself last."""
    own = {name: value for name, value in vars(member).items() if name not in ("alarm", "facts")}
    told = list(flat(own)) + list(flat(member.facts or {}, "facts."))
    if condition is None:
        return told
    told += flat({"online": condition.online, "since": condition.presence_since}, "presence.")
    if condition.health is not None:
        told += flat({"received_at": condition.health_received_at}, "health.")
        told += flat(msgspec.to_builtins(condition.health), "health.")
    return told[:MOST_LINES]


def of_link(link: Link, before: str) -> Facts:
    """A line of the audit log in its place; ``before``: the hash of the line before it."""
    act = link.act
    facts: Facts = [("number", str(link.number)), ("at", rfc3339(act.at)), ("who", act.who), ("what", act.what)]
    facts.append(("subject", act.subject))
    was, changed, now = act.detail.partition(CHANGE)
    facts += [("before", was), ("after", now)] if changed else [("detail", act.detail)]
    facts += [("hash", link.hash), ("previous hash", before)]
    return [(name, value) for name, value in facts if value]


def follows(link: Link, before: str) -> bool | None:
    """Whether a line follows from the one whose hash is ``before``; None: nobody can say."""
    return chain.link_of(before, link.number, link.act) == link.hash if before and link.number > 0 else None


def flat(facts: Mapping[str, Any], within: str = "") -> Iterator[tuple[str, str]]:
    """Facts within facts, each by its whole name, such as ``vitals.storage.read_only``."""
    for name, value in facts.items():
        if isinstance(value, Mapping):
            yield from flat(value, f"{within}{name}.")
        elif value is not None and value not in ("", [], ()):
            yield f"{within}{name}", written(value)[:MOST_CHARS]


def written(value: object) -> str:
    """A value as JSON writes it; moments in RFC 3339."""
    if isinstance(value, datetime):
        return rfc3339(value)
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list | tuple):
        return ", ".join(map(written, value))
    if isinstance(value, Mapping):
        return " ".join(f"{name}={written(each)}" for name, each in value.items())
    return str(value)


def rfc3339(at: datetime) -> str:
    """To the microsecond, in UTC."""
    return at.isoformat().replace("+00:00", "Z")
