"""Worries: what of a node's health somebody should look at, the worst first. Nothing is guessed of what is absent.

- Pure. A worry is a name, a grade and facts: its sentence is ``worry_`` and the name.
- What looks like somebody at work against the node is one worry for each reason, however often it was refused; what
  a radio refuses by its own rules is one for all of it.
- ``throttled`` is read bit by bit (Raspberry Pi documentation, vcgencmd get_throttled): 0 undervoltage, 1-3 slowed down
  or too hot, now; the same 16 bits higher since the machine was started.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from controller.roster import Node
from controller.store.doubles import DoubleRow
from controller.store.facts import Condition
from wire.errors import Reason
from wire.health import Health, Modem, Relay, Storage, Vitals
from wire.trust import Trust

HOT_CELSIUS = 80.0  # where a Raspberry Pi begins to slow itself down
FULL_RATIO, SHORT_RATIO = 0.9, 0.95
WEAK_PERCENT, WEAK_DBM = 25, -75
MOST_OFFSET_MS = 500.0
WORN_PERCENT = 90
UNDERVOLTAGE, SLOWED, SINCE_START = 0x1, 0xE, 16
# what no honest station, broker or media server gives -> how grave; its sentence is worry_refused_ and the code
ATTACKS = {
    Reason.BAD_SEAL: "bad",
    Reason.WRONG_CLASS: "bad",
    Reason.FORKED: "bad",
    Reason.TOO_FEW_ROOTS: "bad",
    Reason.NOT_COSIGNED: "bad",
    Reason.BAD_HASH: "bad",
    Reason.UNKNOWN_KEY: "warn",
    Reason.WRONG_KIND: "warn",
    Reason.WRONG_AREA: "warn",
    Reason.WRONG_TIME: "warn",
    Reason.ROLLED_BACK: "warn",
    Reason.EXPIRED: "warn",
    Reason.KEY_EXPIRED: "warn",
    Reason.FROM_THE_FUTURE: "warn",
    Reason.TOO_BIG: "warn",
    Reason.MALFORMED: "warn",
    Reason.UNKNOWN_TOPIC: "warn",
    Reason.INBOX_FULL: "warn",
}
SOON = timedelta(days=30)  # of keys and what they sealed
LOST_AFTER, ENDING_WITHIN = timedelta(days=7), timedelta(days=14)
AWAY = ("failed", "locked", "disabled", "searching", "unknown", "disconnected")


@dataclass(frozen=True)
class Worry:
    """``grade``: bad (sounds wrongly, or will stop to) or warn. ``about``: the row of the page that it belongs to."""

    name: str
    grade: str = "bad"
    about: str = ""
    facts: dict[str, object] = field(default_factory=dict)


def worries(health: Health | None, behind: int = 0) -> tuple[Worry, ...]:
    """What to look at, the worst first. ``behind``: documents that it should have by now and has not."""
    if health is None:
        return ()
    found = [*_life(health), *_sound(health.vitals), *_power(health.vitals), *_storage(health.vitals)]
    found += [*_network(health.vitals), *_clock(health.vitals)]
    found += _refused(health.refusals)
    if behind:
        found.append(Worry("behind", about="serials", facts={"count": behind}))
    return tuple(sorted(found, key=lambda each: each.grade != "bad"))


def _refused(counts: Mapping[str, int]) -> Iterator[Worry]:
    if not counts:  # nearly always, and asked of very many
        return
    for reason, grade in ATTACKS.items():
        if count := counts.get(reason.value):
            yield Worry(f"refused_{reason.value}", grade, "refusals", {"count": count})
    others = sum(count for reason, count in counts.items() if reason not in ATTACKS)
    if others:
        yield Worry("refusals", "warn", "refusals", {"count": others})


def of_trust(node: Node, condition: Condition, double: DoubleRow | None, now: datetime) -> Iterator[Worry]:
    """What is to be looked at of who the node is, whether it speaks or not."""
    if node.revoked_at is not None:
        yield Worry("revoked")
    elif double is not None:
        places = [each for each in (double.address, double.other_address) if each]
        where = f"; {' / '.join(places)}" if places else ""
        yield Worry("cloned", facts={"one": double.boot_id, "other": double.other_boot_id, "where": where})
    if condition.online is False and condition.presence_since and now - condition.presence_since >= LOST_AFTER:
        yield Worry("lost", facts={"days": (now - condition.presence_since).days})
    until = condition.health.certificate_until if condition.health else None
    if until is not None and until <= now:
        yield Worry("certificate_over", about="certificate")
    elif until is not None and until - now <= ENDING_WITHIN:
        yield Worry("certificate", "warn", "certificate", {"days": (until - now).days})


def _life(health: Health) -> Iterator[Worry]:
    if health.safe_mode:
        yield Worry("safe_mode", about="safe_mode")
    if health.set_aside:
        yield Worry("set_aside", about="set_aside", facts={"count": len(health.set_aside)})
    if health.watched is False:
        yield Worry("unwatched", "warn", "watched")


def _sound(v: Vitals) -> Iterator[Worry]:
    if v.audio_ok is False:
        yield Worry("audio", about="audio")
    if v.amplifier is Relay.FAILED:
        yield Worry("amplifier", about="amplifier")


def _power(v: Vitals) -> Iterator[Worry]:
    bits = v.throttled or 0
    if v.mains is False or v.battery:
        yield Worry("battery", about="mains")
    if bits & UNDERVOLTAGE:
        yield Worry("undervoltage_now", about="power")
    elif bits >> SINCE_START & UNDERVOLTAGE:
        yield Worry("undervoltage_before", "warn", "power")
    if (v.cpu_celsius or 0.0) >= HOT_CELSIUS or bits & SLOWED:
        yield Worry("hot", about="cpu")
    elif bits >> SINCE_START & SLOWED:
        yield Worry("hot_before", "warn", "cpu")
    if (v.memory_used_ratio or 0.0) >= SHORT_RATIO:
        yield Worry("memory", "warn", "memory")


def _storage(v: Vitals) -> Iterator[Worry]:
    card = v.storage or Storage()
    errors = (card.file_system_errors or 0) + (card.disk_errors or 0)
    if card.read_only:
        yield Worry("read_only", about="card")
    if errors:
        yield Worry("card_errors", about="card", facts={"count": errors})
    if (card.worn_percent or 0) >= WORN_PERCENT or (card.end_of_life or 1) > 1:
        yield Worry("worn", "warn", "card")
    if (v.disk_used_ratio or 0.0) >= FULL_RATIO:
        yield Worry("full", "warn", "disk")


def _network(v: Vitals) -> Iterator[Worry]:
    modem = v.modem or Modem()
    if modem.state in AWAY:
        yield Worry("modem_away", "warn", "modem")
    elif modem.signal_percent is not None and modem.signal_percent < WEAK_PERCENT:
        yield Worry("modem_weak", "warn", "modem", {"percent": modem.signal_percent})
    if v.wifi_dbm is not None and v.wifi_dbm < WEAK_DBM:
        yield Worry("wifi_weak", "warn", "wifi", {"dbm": v.wifi_dbm})


def _clock(v: Vitals) -> Iterator[Worry]:
    if not v.clock_known:
        yield Worry("clock", about="clock")
    elif abs(v.clock_offset_ms or 0.0) > MOST_OFFSET_MS:
        yield Worry("clock_off", "warn", "clock", {"offset": round(v.clock_offset_ms or 0.0)})


def of_keys(trust: Trust | None, now: datetime, here: frozenset[str] | None = None) -> Iterator[Worry]:
    """What of the trust document ends soon, or has ended: the document, a key's grant, a second person's key.

    ``here``: the names of all who may sign in, None where that is not known: a second person may have left.
    """
    if trust is None:
        yield Worry("no_trust", about="trust")
        return
    if trust.valid_until - now < SOON:
        yield Worry("trust_ends", _grade(trust.valid_until, now), "trust", {"days": _days(trust.valid_until, now)})
    newest = max((each.until for each in trust.grants), default=now)
    if trust.grants and newest - now < SOON:  # an old key that ends beside a newer one is no worry
        yield Worry("grant_ends", _grade(newest, now), "grants", {"days": _days(newest, now)})
    for each in trust.cosigners:
        if each.until - now < SOON:
            yield Worry("cosigner_ends", "warn", "cosigners", {"name": each.holder, "days": _days(each.until, now)})
    left = [each for each in trust.cosigners if here is not None and each.holder not in here]
    for each in left:
        yield Worry("cosigner_left", "warn", "cosigners", {"name": each.holder, "public": each.public_key})
    if trust.cosign_below and not any(each.until > now and each not in left for each in trust.cosigners):
        yield Worry("no_cosigner", about="cosigners")


def _days(until: datetime, now: datetime) -> int:
    return max(0, (until - now).days)


def _grade(until: datetime, now: datetime) -> str:
    return "bad" if until < now else "warn"
