"""Who may seal what: the trust document, made, renewed, changed and revoked under the seals of the roots.

- The roots seal only the trust document, their own successors and releases; when that is done they lie in drawers.
- Every act draws a draft of what the roots are to say. `settle` seals it with the roots at hand, if enough; else the
  draft goes from root to root as a file (`controller.drafts`), and `publish` takes it in.
- Nothing is half done: a draft that too few sealed changes nothing, and a change of the station's key that was cut
  between the trust document and the file is finished by whoever comes next (`controller.succession`).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from msgspec.structs import replace

from controller import drafts
from controller.drafts import Draft
from controller.durable import write_once
from controller.keyring import NEXT, ROOT, ROOT_PUBLIC, STATION, Keyring, KeyTrouble
from controller.store import Store
from controller.store.facts import Document
from controller.succession import EVERYTHING, areas_now, finish
from controller.trustbook import TRUST_NAME, areas_of, held_message, held_trust
from wire import codec, roots
from wire.plan import BulletinClass
from wire.roots import Roots, RootSet, Unrooted
from wire.seal import PublicKey, Sealer
from wire.topics import TRUST
from wire.trust import Cosigner, Grant, Trust

__all__ = [
    "EVERYTHING", "NEXT", "ROOT", "ROOT_PUBLIC", "STATION", "TRUST_NAME", "KeyTrouble", "Keyring", "areas_of",
    "held_trust", "write_once",
]  # fmt: skip

TRUST_VALIDITY = timedelta(days=730)
OVERLAP = timedelta(days=1)  # how long an old key still counts beside the new one: nodes that are away catch up
_Cosigners = tuple[Cosigner, ...]


def establish(
    ring: Keyring, store: Store, areas: tuple[str, ...], now: datetime, given: Sequence[Sealer] = ()
) -> Trust:
    """Make the keys that are not there, and seal a trust document unless the one held still serves.

    It serves while it names the station's key for ``areas`` and no others, and is less than half spent. ``*`` is
    everything; no areas at all means those that the key has now, everything where there is no document yet. ``given``:
    root keys beside the one that may lie here. Raises KeyTrouble ``keys.no_root`` where a new document is needed and no
    root key is at hand, ``keys.too_few_roots``, ``keys.no_areas`` (see `renewed`); StoreError.
    """
    held = held_trust(store)
    if not ring.token and ring.public(STATION) is None:
        ring.make(STATION)
    known = ring.roots()
    if known is not None:
        ring.note_roots(known)
    draft = renewed(ring, store, areas, now)
    if draft is None:
        assert held
        return held
    if held is None and known is None and not given:
        ring.note_roots(RootSet((ring.make(ROOT).public,)))
    return settle(ring, store, draft, now, given)


def found(ring: Keyring, store: Store, signers: tuple[Sealer, ...], threshold: int) -> None:
    """Let a new station begin under these roots. Raises KeyTrouble ``keys.founded`` for one that has some already."""
    if ring.roots() is not None or held_trust(store) is not None:
        raise KeyTrouble("keys.founded", path=ring.folder)
    try:
        ring.note_roots(RootSet.of([each.public.hex for each in signers], threshold))
    except ValueError as wrong:
        raise KeyTrouble("keys.bad_roots", why=wrong) from None


def renewed(ring: Keyring, store: Store, areas: tuple[str, ...], now: datetime, always: bool = False) -> Draft | None:
    """A draft that names the station's key for ``areas``, None while the document held serves (see `establish`).

    Raises KeyTrouble ``keys.no_areas`` where there are none and the document held does not name the key.
    """
    finish(ring, store)
    own, held = ring.public(STATION), held_trust(store)
    if own is None:
        raise KeyTrouble("keys.missing", path=ring.path(STATION))
    areas = areas or areas_now(ring, held, own)
    if held is not None and not always and _serves(held, own, areas, now):
        return None
    kept = tuple(each for each in held.grants if each.public_key != own.hex) if held else ()
    return _drawn(store, (*kept, grant(own, areas, now)), now)


def without(ring: Keyring, store: Store, public_key: str, now: datetime, above: int = 0) -> Draft:
    """A draft that does not name ``public_key`` (hex), numbered above ``above`` too: nodes forget what it sealed.

    Raises KeyTrouble ``keys.no_trust``, ``keys.not_named``, ``keys.own_key`` (change it instead).
    """
    finish(ring, store)
    held, key = _trust(store), public_key.lower()
    own = ring.public(STATION)
    if own is not None and own.hex == key:
        raise KeyTrouble("keys.own_key")
    grants = tuple(each for each in held.grants if each.public_key != key)
    cosigners = tuple(each for each in held.cosigners if each.public_key != key)
    if len(grants) + len(cosigners) == len(held.grants) + len(held.cosigners):
        raise KeyTrouble("keys.not_named", public=public_key[:64])
    drawn = _drawn(store, grants, now, (cosigners, held.cosign_below))
    said = replace(drawn.says, serial=max(drawn.says.serial, above + 1))
    return drafts.drafted(said, drawn.links, after=held.serial)


def without_left(store: Store, now: datetime) -> Draft | None:
    """A draft without the second keys that are out of force at the station; None: it names none. Raises KeyTrouble."""
    held, out = _trust(store), store.cosigners_out.keys()
    staying = tuple(each for each in held.cosigners if each.public_key not in out)
    return None if staying == held.cosigners else _drawn(store, held.grants, now, (staying, held.cosign_below))


def revoke(ring: Keyring, store: Store, public_key: str, now: datetime, above: int = 0) -> Trust:
    """`without`, settled with the root that lies here. Raises KeyTrouble ``keys.no_root`` too."""
    need_roots(ring, ())
    return settle(ring, store, without(ring, store, public_key, now, above), now)


def changed(ring: Keyring, store: Store, now: datetime, stolen: bool = False, areas: tuple[str, ...] = ()) -> Draft:
    """A draft that gives the station a new key, waiting beside the old one, for ``areas`` or what the old one could do.

    The old one counts for `OVERLAP` more, or from then on no more when it was ``stolen``. A change that was cut is
    drawn again, with the same new key. Raises KeyTrouble, ``keys.no_areas`` as `renewed` does.
    """
    if ring.token:
        raise KeyTrouble("keys.token_change")
    held, old = _trust(store), ring.public(STATION)
    if old is None:
        raise KeyTrouble("keys.missing", path=ring.path(STATION))
    areas = areas or areas_now(ring, held, old)
    new = ring.make_like(NEXT, STATION)
    others = [each for each in held.grants if each.public_key not in (old.hex, new.hex)]
    ending = [] if stolen else [_ending(each, now) for each in held.grants if each.public_key == old.hex]
    return _drawn(store, (*others, *ending, grant(new, areas, now)), now)


def with_cosigner(store: Store, cosigner: Cosigner, below: int, now: datetime) -> Draft:
    """A draft that names ``cosigner`` too; their older keys count no more. ``below``: see `Trust.cosign_below`."""
    held = _trust(store)
    others = tuple(each for each in held.cosigners if each.holder.casefold() != cosigner.holder.casefold())
    return _drawn(store, held.grants, now, ((*others, cosigner), below))


def with_roots(ring: Keyring, store: Store, keys: Iterable[PublicKey], threshold: int, now: datetime) -> Draft:
    """A draft by which other roots take the place of those in force. Raises KeyTrouble."""
    held, known = _trust(store), in_force(ring, store)
    hexes = tuple(each.hex for each in keys)
    try:
        RootSet.of(hexes, threshold)
    except ValueError as wrong:
        raise KeyTrouble("keys.bad_roots", why=wrong) from None
    draft = _drawn(store, held.grants, now)
    return drafts.drafted(draft.says, draft.links, Roots(known.version + 1, now, hexes, threshold), held.serial)


def settle(ring: Keyring, store: Store, draft: Draft, now: datetime, given: Sequence[Sealer] = ()) -> Trust:
    """Seal the draft with the root that lies here and those ``given``, and publish it. Raises KeyTrouble."""
    return publish(ring, store, draft.signed(*need_roots(ring, given)), now)


def publish(ring: Keyring, store: Store, draft: Draft, now: datetime) -> Trust:
    """Take in what enough roots have sealed: nodes are told from now on.

    Raises KeyTrouble ``keys.too_few_roots``, ``keys.not_roots``, ``keys.bad_draft``, ``keys.old_draft`` (another
    was published since it was drawn, and would be undone); StoreError for an older serial.
    """
    known, held = in_force(ring, store), held_trust(store)
    try:
        if draft.after != (held.serial if held else 0) and draft.says != held:  # what was cut may be finished
            raise KeyTrouble("keys.old_draft")
        if not draft.trust.seals:
            raise KeyTrouble("keys.too_few_roots", have=0, need=known.threshold)
        message = draft.message()
        led = roots.follow(known, draft.all_links)
        led.sealed(roots.read(message, TRUST.most_bytes).envelope)
        trust = draft.says
    except Unrooted as wrong:
        raise KeyTrouble("keys.not_roots", why=wrong.detail) from None
    except (codec.Malformed, codec.TooBig) as wrong:
        raise KeyTrouble("keys.bad_draft", why=wrong) from None
    store.documents.put(Document(TRUST_NAME, trust.serial, message, now))
    ring.note_roots(led)
    finish(ring, store)
    return trust


def in_force(ring: Keyring, store: Store) -> RootSet:
    """The roots that count, as far as the message held leads. Raises KeyTrouble ``keys.no_root_public``."""
    known, held = ring.roots(), held_message(store)
    if known is None:
        raise KeyTrouble("keys.no_root_public", path=ring.folder)
    try:
        return roots.follow(known, held.roots) if held else known
    except (Unrooted, codec.Malformed, codec.TooBig) as wrong:
        raise KeyTrouble("keys.bad_draft", why=wrong) from None


def grant(key: PublicKey, areas: tuple[str, ...], now: datetime) -> Grant:
    """Everything up to emergencies, for ``areas`` and all below them, from now on."""
    return Grant(key.hex, areas, BulletinClass.EMERGENCY, now, now + TRUST_VALIDITY)


def need_roots(ring: Keyring, given: Sequence[Sealer]) -> tuple[Sealer, ...]:
    """The root keys at hand, ``given`` and the one that lies here. Raises KeyTrouble ``keys.no_root`` for none."""
    signers = {str(each.public.id): each for each in given}
    public = ring.public(ROOT)
    if public is not None and str(public.id) not in signers:
        here = ring.find(ROOT)
        signers |= {str(public.id): here} if here else {}
    if not signers:
        raise KeyTrouble("keys.no_root", path=ring.folder)
    if ring.roots() is None and len(signers) == 1:
        ring.note_roots(RootSet(tuple(each.public for each in signers.values())))
    return tuple(signers.values())


def _ending(held: Grant, now: datetime) -> Grant:
    """The same, but not for long."""
    return replace(held, until=min(held.until, now + OVERLAP))


def _trust(store: Store) -> Trust:
    held = held_trust(store)
    if held is None:
        raise KeyTrouble("keys.no_trust")
    return held


def _drawn(
    store: Store, grants: tuple[Grant, ...], now: datetime, second: tuple[_Cosigners, int] | None = None
) -> Draft:
    """The roots' word from now on. ``second``: who may cosign below which width; None: as it was.

    It is numbered by the clock, above all that a store that was lost, or put back from a backup, had said.
    """
    held, message = held_trust(store), held_message(store)
    serial = max(held.serial + 1 if held else 1, int(now.timestamp()))
    cosigners, below = second or ((held.cosigners, held.cosign_below) if held else ((), 0))
    trust = Trust(serial, now, now + TRUST_VALIDITY, grants, cosigners, below)
    return drafts.drafted(trust, message.roots if message else (), after=held.serial if held else 0)


def _serves(held: Trust, key: PublicKey, areas: tuple[str, ...], now: datetime) -> bool:
    return areas_of(held, key) == set(areas) and held.valid_until - now > TRUST_VALIDITY / 2
