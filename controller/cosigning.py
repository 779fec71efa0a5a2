"""Two people for a wide emergency, at the station: the second one's seal is made by their own act, and kept.

- Their key lies here locked with a passphrase that only they know; it is opened for one seal and let go of. Whoever
  steals the disk has no second seal.
- What nobody agreed to, or what was changed since, is not planned where two are needed: nodes would refuse the plan.
- Wrong passphrases are counted by person: `MOST_TRIES` in `WINDOW`.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import datetime, timedelta

from msgspec.structs import replace

from controller import locked
from controller.keyring import COSIGNERS, Keyring
from controller.roster import Node
from controller.store import Store
from controller.store.held import HeldBack
from controller.store.rows import Act
from controller.trustbook import held_trust, wide
from schedules.booking import Booking
from schedules.planner import jobs_of
from wire import codec, cosigned, names
from wire.errors import Reason
from wire.plan import BulletinClass, Cosigned, Job
from wire.seal import PublicKey
from wire.trust import Cosigner, Trust
from words import Said

log = logging.getLogger("loa.cosigning")

MOST_TRIES, WINDOW = 5, timedelta(minutes=15)


class NotAgreed(Said):
    """Why there is no second seal."""


class Cosigning:
    """Over one store, and the folder of keys ``ring``."""

    def __init__(self, store: Store, ring: Keyring) -> None:
        self._store, self._folder = store, Keyring(ring.folder / COSIGNERS)
        self._wrong: dict[str, list[datetime]] = {}  # by holder
        self._said: set[str] = set()

    def wide(self, areas: tuple[str, ...], bulletin_class: BulletinClass) -> tuple[str, ...]:
        """Those of ``areas`` for which two people are needed."""
        trust = held_trust(self._store) if bulletin_class is BulletinClass.EMERGENCY else None
        if trust is None or not trust.cosign_below:
            return ()
        return wide(trust, areas, self._store.roster.nodes(), bulletin_class)

    def holders(self, areas: tuple[str, ...], now: datetime) -> tuple[str, ...]:
        """Who may agree for all of ``areas``, by name."""
        people = map(self._store.people.by_name, (each.holder for each in self._in_force(areas, now)))
        return tuple(each.name for each in people if each is not None and not each.disabled)

    def keys_of(self, holder: str) -> tuple[str, ...]:
        """The public keys (hex) that the trust document names as theirs."""
        trust = held_trust(self._store)
        named = trust.cosigners if trust else ()
        return tuple(each.public_key for each in named if each.holder.casefold() == holder.casefold())

    def _in_force(self, areas: tuple[str, ...], now: datetime) -> list[Cosigner]:
        """Whose new seal counts: those whom the roots name, without whom this station has put out of force."""
        trust, out = held_trust(self._store), self._store.cosigners_out.keys()
        named = _counting(trust, areas, now, self._homes()) if trust else []
        return [each for each in named if each.public_key not in out]

    def agree(self, booking: Booking, holder: str, passphrase: str, now: datetime) -> Cosigned:
        """The seal of ``holder`` over the one job of ``booking``. Raises NotAgreed."""
        areas = self.wide(booking.areas, booking.bulletin_class)
        mine = [each for each in self._in_force(areas, now) if each.holder == holder]
        if not mine:
            raise NotAgreed("keys.no_cosigner", name=holder)
        tries = self._wrong[holder] = [each for each in self._wrong.get(holder, []) if now - each < WINDOW]
        if len(tries) >= MOST_TRIES:
            raise NotAgreed("keys.second_closed", minutes=WINDOW.seconds // 60)
        (job,) = jobs_of(booking, booking.starts[0])
        public = PublicKey.from_hex(mine[0].public_key)
        path = self._folder.path(f"{holder}-{public.id}")
        try:
            signer = locked.unlock(path.read_bytes()[: locked.MOST_BYTES + 1], passphrase)
        except locked.WrongPassphrase:
            tries.append(now)
            raise NotAgreed("keys.second_wrong") from None
        except (OSError, codec.Malformed, codec.TooBig) as wrong:
            raise NotAgreed("keys.no_cosigner_key", name=holder, why=wrong) from None
        agreed = cosigned.cosign(job, areas, signer).cosigned
        assert agreed
        return agreed

    def kept(self, bookings: Sequence[Booking], now: datetime) -> list[Booking]:
        """What nodes will obey of ``bookings``: without what lacks a second seal where two people are needed."""
        trust = held_trust(self._store)
        if trust is None or not trust.cosign_below or not any(map(_is_urgent, bookings)):
            return list(bookings)
        nodes = self._store.roster.nodes()
        kept = (self._agreed(each, trust, nodes, now) if _is_urgent(each) else each for each in bookings)
        return [each for each in kept if each is not None]

    def _agreed(self, booking: Booking, trust: Trust, nodes: list[Node], now: datetime) -> Booking | None:
        areas, homes = wide(trust, booking.areas, nodes, booking.bulletin_class), {node.id: node.home for node in nodes}
        if not areas:
            return booking
        keys = [PublicKey.from_hex(each.public_key) for each in _counting(trust, areas, now, homes)]
        known = {str(key.id): key for key in keys}
        named = booking.cosigned is not None and set(areas) <= set(booking.cosigned.areas)
        for each in (booking, replace(booking, asset=None)):  # its sound came after they agreed: nodes speak it
            if named and any(cosigned.cosigners(job, known) for job in _jobs(each)):
                return each
        if booking.id not in self._said:
            self._said.add(booking.id)
            self._tell(booking, areas, now)
        narrow = tuple(each for each in booking.areas if each not in areas)
        return replace(booking, areas=narrow) if narrow else None

    def _tell(self, booking: Booking, areas: tuple[str, ...], now: datetime) -> None:
        """What is left out of the plan stands with its booking and in the audit log, like all that is held back."""
        log.warning("not_cosigned booking=%s areas=%s", booking.id, ",".join(areas))
        why, start = Reason.NOT_COSIGNED.value, booking.starts[0]
        rows = [HeldBack(booking.id, area, booking.id, booking.title, start, why, now) for area in areas]
        told = (f"job={booking.id} area={area} reason={why}" for area in areas)
        self._store.held.write(rows, [Act("station", "held back", booking.id, each, now) for each in told])

    def _homes(self) -> dict[str, str]:
        return {node.id: node.home for node in self._store.roster.nodes()}


def _is_urgent(booking: Booking) -> bool:
    return booking.bulletin_class is BulletinClass.EMERGENCY


def _jobs(booking: Booking) -> list[Job]:
    return [job for start in booking.starts for job in jobs_of(replace(booking, starts=(start,)), start)]


def _counting(trust: Trust, areas: tuple[str, ...], now: datetime, homes: dict[str, str]) -> list[Cosigner]:
    """Whose seal counts now in all of ``areas``."""
    return [
        each
        for each in trust.cosigners
        if each.not_before <= now <= each.until
        and all(any(names.lies_within(homes.get(area, area), owner) for owner in each.areas) for area in areas)
    ]
