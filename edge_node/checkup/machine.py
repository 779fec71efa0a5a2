"""The computer: clock, disk, power, GPIO, and how its processes have lived."""

from __future__ import annotations

import os
import pwd
import shutil
import time
from collections.abc import Iterator
from pathlib import Path

from edge_node import disk as disk_room
from edge_node import gpio, identity, lives
from edge_node.checkup.finding import Finding, well, wrong
from edge_node.keep import Keep
from edge_node.programs import Run
from edge_node.settings import PINS, Settings
from edge_node.wallclock import Wallclock
from schedules import moments
from wire.health import Vitals
from words import Said

MOST_OFFSET_MS = 500.0
LEAST_FREE_MB = 500
SLOW_FSYNC_MS = 1000.0
HOT_CELSIUS = 80.0
# bits of vcgencmd get_throttled (Raspberry Pi documentation): now, and since the machine was started
UNDERVOLTAGE, HOT = 0x1, 0x2 | 0x4 | 0x8
EARLIER = 16
UNIT = "loa-node.service"


def clock(settings: Settings, own: Wallclock, read: Vitals) -> Iterator[Finding]:
    """Whether the time is known, from whom, and how far off it is."""
    if not own.known():
        yield wrong("node.check_clock_unknown")
        return
    facts: dict[str, object] = {"time": f"{moments.local(own.now(), moments.DEFAULT_ZONE):%H:%M:%S %d/%m/%Y}"}
    if settings.clock == "trust" and read.clock_source in (None, "none"):
        yield wrong("node.check_clock_trusted", **facts)  # a time that nobody vouches for is no good news
    elif read.clock_source == "none":
        yield well("node.check_clock_kept", **facts)
    else:
        yield well("node.check_clock_known", source=read.clock_source or "–", **facts)
    if abs(read.clock_offset_ms or 0.0) > MOST_OFFSET_MS:
        yield wrong("node.check_clock_off", offset=round(read.clock_offset_ms or 0.0))


def disk(settings: Settings, read: Vitals) -> Iterator[Finding]:
    """Whether the folder can be written, quickly, and what the card says of itself; and the key in it."""
    home, probe = settings.state_dir, settings.state_dir / "probe"
    try:
        began = time.monotonic()
        disk_room.write(probe, b"x" * 4096)
        took_ms = round((time.monotonic() - began) * 1000)
        disk_room.remove(probe)
        free = shutil.disk_usage(home).free // 1_000_000
    except OSError as why:
        yield wrong("node.check_disk_bad", path=home, why=why)
    else:
        yield (well if free >= LEAST_FREE_MB else wrong)(
            "node.check_disk_ok" if free >= LEAST_FREE_MB else "node.check_disk_full", path=home, free=free
        )
        if took_ms > SLOW_FSYNC_MS:
            yield wrong("node.check_disk_slow", ms=took_ms)
    yield from _card(read)
    try:
        yield _key(home / "node.key", Keep(settings))
    except (Said, OSError) as why:
        yield wrong("node.check_key_bad", why=why)


def _key(path: Path, keep: Keep) -> Finding:
    """The key, made where the one who asks is the node's own user: what root made the node could not read.

    Raises identity.BadIdentity, keep.Sealed, OSError.
    """
    signer, owner = identity.load(path, keep), _owner(path.parent)
    if signer is None and owner != os.geteuid():
        return wrong("node.check_key_none", user=_name(owner))
    if signer is not None and _owner(path) == 0 != owner:
        return wrong("node.check_key_of_root", path=path, user=_name(owner))
    return well("node.check_key", public=(signer or identity.make(path, keep)).public.hex)


def _owner(path: Path) -> int:
    return path.stat().st_uid


def _name(user: int) -> str:
    try:
        return pwd.getpwuid(user).pw_name
    except KeyError:
        return str(user)


def _card(read: Vitals) -> Iterator[Finding]:
    storage = read.storage
    if storage is None:
        return
    errors = (storage.file_system_errors or 0) + (storage.disk_errors or 0)
    if storage.read_only:
        yield wrong("node.check_card_read_only")
    if errors:
        yield wrong("node.check_card_errors", count=errors)
    if (storage.worn_percent or 0) >= 90 or (storage.end_of_life or 1) > 1:
        yield wrong("node.check_card_worn", percent=storage.worn_percent or 100)


def life(settings: Settings, ask: Run) -> Iterator[Finding]:
    """How earlier processes ended, and whether anybody would end one that hangs."""
    past = lives.recall(settings.state_dir)
    if past.safe:
        yield wrong(
            "node.check_safe_mode", hours=round(lives.SAFE_SECONDS / 3600), file=settings.state_dir / "lives", unit=UNIT
        )
    for thing in past.aside:
        yield wrong("node.check_set_aside", what=thing)
    answer = ask(["systemctl", "show", UNIT, "--property=LoadState,WatchdogUSec"]) or ""
    told = dict(line.split("=", 1) for line in answer.splitlines() if "=" in line)
    if told.get("LoadState") != "loaded":
        yield well("node.check_watchdog_none", unit=UNIT)
    elif told.get("WatchdogUSec", "0") in ("0", "infinity"):
        yield wrong("node.check_watchdog_off", unit=UNIT)
    else:
        yield well("node.check_watchdog_on", unit=UNIT, period=told["WatchdogUSec"])


def power(read: Vitals) -> Iterator[Finding]:
    """Undervoltage, and heat."""
    bits = read.throttled
    if bits is not None and bits & UNDERVOLTAGE:
        yield wrong("node.check_undervoltage_now")
    elif bits is not None and bits >> EARLIER & UNDERVOLTAGE:
        yield wrong("node.check_undervoltage_before")
    elif bits is not None:
        yield well("node.check_power_ok")
    hot = (read.cpu_celsius or 0.0) >= HOT_CELSIUS or bool((bits or 0) & HOT)
    if hot:
        yield wrong("node.check_hot", celsius=round(read.cpu_celsius or 0.0))
    elif bits is not None and bits >> EARLIER & HOT:
        yield wrong("node.check_hot_before")
    elif read.cpu_celsius is not None:
        yield well("node.check_cool", celsius=round(read.cpu_celsius))


def lines(settings: Settings, read: Vitals, ask: Run) -> Iterator[Finding]:
    """The GPIO lines that are wired. The amplifier's is not switched: a running node holds it."""
    named = [getattr(settings, pin) for pin in PINS if getattr(settings, pin)]
    if not named:
        return
    if gpio.version(ask) is None:
        yield wrong("node.check_gpio_none")
        return
    if settings.mains_pin:
        yield _level("mains_pin", settings.mains_pin, read.mains)
    if settings.battery_pin:
        yield _level("battery_pin", settings.battery_pin, read.battery)
    if settings.amplifier_pin:
        chip = settings.amplifier_pin.partition(":")[0]
        there = ask(["gpioinfo", chip] if gpio.version(ask) == 1 else ["gpioinfo", "--chip", chip])
        key = "node.check_gpio_chip" if there else "node.check_gpio_bad"
        yield (well if there else wrong)(key, setting="amplifier_pin", line=settings.amplifier_pin)


def _level(setting: str, line: str, active: bool | None) -> Finding:
    if active is None:
        return wrong("node.check_gpio_bad", setting=setting, line=line)
    return well("node.check_gpio_on" if active else "node.check_gpio_off", setting=setting, line=line)
