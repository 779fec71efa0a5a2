"""The list of what was taken away: kept beside the station, so that a restored backup does not give it back.

- Whose key each node's is now, which nodes are revoked, which rights each person holds: the newest state of it, under
  the station's seal, in a file of the station's folder and, by setting, in a second place that outlives the machine.
- `take_away` only ever takes: what the list does not know of stays as the backup has it.
"""

from __future__ import annotations

import logging
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import msgspec

from controller import durable
from controller.roster import Node
from controller.settings import Settings
from controller.store import Store, StoreError
from controller.store.rows import Act, User
from controller.store.tokens import TokenRow
from controller.witness import known_keys
from wire import codec, seal
from wire.plan import Moment
from wire.seal import Sealer
from words import Said

log = logging.getLogger(__name__)

KIND, FILE = "revocations", "revocations"
MOST_BYTES = 32 * 1024 * 1024
WHO = "loa"  # in the log of acts


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
        self._store, self._signer = store, signer
        self._places = places(settings)
        self._written: dict[Path, State] = {}

    def keep(self, now: datetime) -> int:
        """Write what has changed; how many files. A place that cannot be written is logged, and tried again."""
        state = state_of(self._store, now)
        due = [path for path in self._places if self._written.get(path) != state]
        if not due:
            return 0
        sealed = seal.seal(KIND, codec.write(Noted(now, state)), self._signer)
        return sum(self._write(path, sealed, state) for path in due)

    def _write(self, path: Path, sealed: bytes, state: State) -> bool:
        try:
            durable.replace(path, sealed)
        except OSError as wrong:
            log.warning("revocations_not_written path=%s why=%s", path, wrong)
            return False
        self._written[path] = state
        return True


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
    try:
        with path.open("rb") as file:
            envelope = seal.unwrap(file.read(MOST_BYTES + 1), MOST_BYTES)
        if not seal.is_kind(envelope, KIND) or not seal.sealed_by(envelope, known_keys(store)):
            raise ListTrouble("revocations.not_ours", path=path)
        return codec.read(Noted, envelope.body(), MOST_BYTES)
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
    """Revoke nodes, change keys back and end rights as the list says; the names of whom that met."""
    met = [node.id for node in store.roster.nodes() if _met_node(store, node, noted, now)]
    met += [token.name for token in store.tokens.all() if _met_token(store, token, noted, now)]
    return met + [person.name for person in store.people.all() if _met_person(store, person, noted, now)]


def _met_node(store: Store, node: Node, noted: Noted, now: datetime) -> bool:
    state = noted.state
    revoked, key = state.revoked.get(node.id), state.keys.get(node.id)
    if node.revoked_at is not None or key is None or (revoked is None and key == node.public_key):
        return False
    act = Act(WHO, "revoked node", node.id, f"as of {noted.at.isoformat()}, after the backup", now)
    store.enrolments.revoke(node.id, now, act)
    if revoked is None:  # another device took its place: that one's key counts
        store.roster.add_node(replace(node, public_key=key))
    return True


def _met_token(store: Store, token: TokenRow, noted: Noted, now: datetime) -> bool:
    known = noted.state.tokens
    if known is None or token.id in known or not token.counts(now):
        return False
    owner = store.people.get(token.user)
    about = f"{token.name} as of {noted.at.isoformat()}, after the backup"
    return store.tokens.end(token.id, now, Act(WHO, "ended a token", owner.name if owner else token.user, about, now))


def _met_person(store: Store, person: User, noted: Noted, now: datetime) -> bool:
    held, kept = _held(person, now), noted.state.grants.get(person.name)
    over = [] if kept is None else [each for each in held if each not in kept]
    if person.disabled or (kept is not None and not over):
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
