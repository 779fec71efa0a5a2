"""The list of what was taken away: kept beside the station, so that a restored backup does not give it back.

- Whose key each node's is now, which nodes are revoked, which rights each person holds: the newest state of it, under
  the station's seal, in a file of the station's folder and, by setting, in a second place that outlives the machine.
- `take_away` only ever takes: what the list does not know of stays as the backup has it, and what was given after the
  list was written stays too, so that a list may be applied at any time.
- A list that knows more than this station (a restored one, whose second place was not there at the restore) is never
  written over: it is put aside, and a flag says so. What it knows is in `controller.gaps`.
"""

from __future__ import annotations

import hashlib
import logging
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import msgspec

from controller import durable, flags, gaps
from controller.roster import Node
from controller.settings import Settings
from controller.store import Store, StoreError
from controller.store.rows import Act, User
from controller.store.tokens import TokenRow
from controller.witness import known_keys
from schedules import moments
from wire import codec, seal
from wire.plan import Moment
from wire.seal import Envelope, Sealer
from words import Said

log = logging.getLogger(__name__)

KIND, FILE = "revocations", "revocations"
MOST_BYTES = 32 * 1024 * 1024
WHO = "loa"  # in the log of acts
MOST_ASIDE = 9  # lists put aside in one place
KEYED = ("enrolled", "replaced key")  # acts that give a node a key


class ListTrouble(Said):
    """A list that cannot be used; the sentence says why."""


class State(msgspec.Struct, frozen=True):
    """``keys``: node -> its key in hex; ``revoked``: nodes; ``grants``: who is there -> ids of their rights.

    ``tokens``: ids of those that open something; None: a list of before there were any.
    """

    keys: dict[str, str]
    revoked: dict[str, Moment]
    grants: dict[str, tuple[str, ...]]
    tokens: tuple[str, ...] | None = None


class Noted(msgspec.Struct, frozen=True):
    """A state and when it was so."""

    at: Moment
    state: State


class Revocations:
    """The two files, kept true to the store."""

    def __init__(self, store: Store, settings: Settings, signer: Sealer) -> None:
        self._store, self._signer, self._zone = store, signer, settings.zone
        self._places = places(settings)
        self._written: dict[Path, tuple[State, tuple[int, ...]]] = {}

    def keep(self, now: datetime) -> int:
        """Write what has changed; how many files. A place that cannot be written is logged, and tried again."""
        state = state_of(self._store, now)
        due = [path for path in self._places if self._written.get(path) != (state, _mark(path))]
        if not due:
            return 0
        free = [path for path in due if self._is_free(path, now)]
        sealed = seal.seal(KIND, codec.write(Noted(now, state)), self._signer)
        gaps.wrote(self._store, hashlib.sha256(sealed).hexdigest(), now)
        return sum(self._write(path, sealed, state) for path in free)

    def _is_free(self, path: Path, now: datetime) -> bool:
        """Whether ``path`` may be written: a list there that this station does not know was put aside."""
        written = self._written.get(path)
        if written is not None and written[1] == _mark(path):
            return True
        upto, known = _unknown(path, self._store)
        if known:
            return True
        try:
            aside = _put_aside(path)
        except OSError as wrong:
            log.warning("revocations_not_written path=%s why=%s", path, wrong)
            return False
        self._tell(path, aside, upto, now)
        return aside is not None

    def _tell(self, path: Path, aside: Path | None, upto: datetime | None, now: datetime) -> None:
        told = f"{moments.local(upto, self._zone):%d/%m/%Y %H:%M}" if upto else "-"
        log.error("newer_revocations path=%s aside=%s upto=%s", path, aside or "-", told)
        held, lies = flags.find(self._store, flags.NEWER_LIST), str(aside or path)
        before = held.facts["path"].split(", ") if held else []
        if lies not in before:
            facts = {"path": ", ".join([*before, lies][-MOST_ASIDE:]), "upto": told}
            flags.sound(self._store, flags.NEWER_LIST, facts, now)

    def _write(self, path: Path, sealed: bytes, state: State) -> bool:
        try:
            durable.replace(path, sealed)
        except OSError as wrong:
            log.warning("revocations_not_written path=%s why=%s", path, wrong)
            return False
        self._written[path] = state, _mark(path)
        return True


def _mark(path: Path) -> tuple[int, ...]:
    """By which a file is told from another that came in its place, such as when a disk is mounted."""
    try:
        told = path.stat()
    except OSError:
        return ()
    return told.st_ino, told.st_size, told.st_mtime_ns


def _unknown(path: Path, store: Store) -> tuple[datetime | None, bool]:
    """Of a file: up to when its list goes (None: it cannot be read), and whether the store knows all of it.

    What this station wrote last is known by its content: the key that sealed it may have been changed since. Who is
    revoked there and not here tells more whenever it was written: clocks may be wrong.
    """
    known = gaps.known(store)
    try:
        if known is None or not path.exists():
            return None, True
        if hashlib.sha256(_raw(path)).hexdigest() == known.sha256:
            return known.upto, True
        noted = read(path, store)
    except (OSError, ListTrouble) as wrong:
        log.warning("revocations_unread path=%s why=%s", path, wrong)
        return None, False
    revoked = {node.id for node in store.roster.nodes() if node.revoked_at}
    return noted.at, known.covers(noted.at) and noted.state.revoked.keys() <= revoked


def _put_aside(path: Path) -> Path | None:
    """The list under another name beside it, None when there are too many. Raises OSError."""
    names = (path.with_name(f"{path.name}.aside-{number}") for number in range(1, MOST_ASIDE + 1))
    aside = next((each for each in names if not each.exists()), None)
    return path.rename(aside) if aside else None


def places(settings: Settings) -> list[Path]:
    """Where the list is kept."""
    copy = [Path(settings.revocations_copy)] if settings.revocations_copy else []
    return [settings.state_dir / FILE, *copy]


def state_of(store: Store, now: datetime) -> State:
    """What the store says."""
    nodes, people = store.roster.nodes(), store.people.all()
    return State(
        {node.id: node.public_key for node in nodes},
        {node.id: node.revoked_at for node in nodes if node.revoked_at},
        {each.name: tuple(_held(each, now)) for each in people if not each.disabled},
        tuple(sorted(each.id for each in store.tokens.all() if each.counts(now))),
    )


def read(path: Path, store: Store) -> Noted:
    """The list in a file, under a seal that this station's trust knows. Raises ListTrouble."""
    envelope, noted = _opened(path)
    if not seal.sealed_by(envelope, known_keys(store)):
        raise ListTrouble("revocations.not_ours", path=path)
    return noted


def check(path: Path) -> None:
    """Whether the file can be a list at all: who sealed it, only the station's trust can tell. Raises ListTrouble."""
    _opened(path)


def _raw(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(MOST_BYTES + 1)


def _opened(path: Path) -> tuple[Envelope, Noted]:
    try:
        envelope = seal.unwrap(_raw(path), MOST_BYTES)
        if not seal.is_kind(envelope, KIND):
            raise ListTrouble("revocations.not_ours", path=path)
        return envelope, codec.read(Noted, envelope.body(), MOST_BYTES)
    except OSError as wrong:
        raise ListTrouble("revocations.unreadable", path=path, why=wrong.strerror or wrong) from wrong
    except (codec.Malformed, codec.TooBig) as wrong:
        raise ListTrouble("revocations.damaged", path=path, why=wrong) from wrong


def newest(store: Store, paths: list[Path]) -> tuple[Noted | None, list[ListTrouble]]:
    """The newest of the lists at ``paths`` that can be used, and what was wrong with others; one not there is fine."""
    found: list[Noted] = []
    troubles: list[ListTrouble] = []
    for path in paths:
        try:
            if path.exists():
                found.append(read(path, store))
        except ListTrouble as wrong:
            troubles.append(wrong)
    return max(found, key=lambda each: each.at, default=None), troubles


def take_away(store: Store, noted: Noted, now: datetime) -> list[str]:
    """Revoke nodes, change keys back and end rights as the list says; the names of whom that met.

    Keys, rights, tokens and people that came after the list stay: it cannot know of them.
    """
    met = [node.id for node in store.roster.nodes() if _met_node(store, node, noted, now)]
    met += [token.name for token in store.tokens.all() if _met_token(store, token, noted, now)]
    met += [person.name for person in store.people.all() if _met_person(store, person, noted, now)]
    gaps.applied(store, noted.at, now)
    return met


def _met_node(store: Store, node: Node, noted: Noted, now: datetime) -> bool:
    state = noted.state
    revoked, key = state.revoked.get(node.id), state.keys.get(node.id)
    if node.revoked_at is not None or key is None or (revoked is None and key == node.public_key):
        return False
    if any(each.what in KEYED and each.at > noted.at for each in store.acts.about(node.id)):
        return False
    act = Act(WHO, "revoked node", node.id, f"as of {noted.at.isoformat()}, after the backup", now)
    store.enrolments.revoke(node.id, now, act)
    if revoked is None:  # another device took its place: that one's key counts
        store.roster.add_node(replace(node, public_key=key))
    return True


def _met_token(store: Store, token: TokenRow, noted: Noted, now: datetime) -> bool:
    known = noted.state.tokens
    if known is None or token.id in known or token.made_at > noted.at or not token.counts(now):
        return False
    owner = store.people.get(token.user)
    about = f"{token.name} as of {noted.at.isoformat()}, after the backup"
    return store.tokens.end(token.id, now, Act(WHO, "ended a token", owner.name if owner else token.user, about, now))


def _met_person(store: Store, person: User, noted: Noted, now: datetime) -> bool:
    held, kept = _held(person, now), noted.state.grants.get(person.name)
    over = [] if kept is None else [each for each in held if each not in kept]
    later = {each.id for each in person.grants if each.given_at > noted.at}
    over = [each for each in over if each not in later]
    if person.disabled or (kept is not None and not over) or (kept is None and person.created_at > noted.at):
        return False
    about = f"as of {noted.at.isoformat()}, after the backup"
    try:
        if kept is None:
            store.people.set_disabled(person.id, True, Act(WHO, "dismissed", person.name, about, now))
        for each in over:
            store.people.end_grant(each, now, Act(WHO, "took a right", person.name, f"{each} {about}", now))
    except StoreError as wrong:  # nobody would govern the station any more
        log.warning("not_taken_away person=%s why=%s", person.name, wrong)
        return False
    return True


def _held(person: User, now: datetime) -> list[str]:
    return sorted(each.id for each in person.grants if each.until is None or each.until > now)
