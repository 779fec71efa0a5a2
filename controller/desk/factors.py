"""Second factors at the desk: an app that shows codes, passkeys, recovery codes; set up and taken away by oneself.

- All of it wants a fresh proof. What is new counts once it has been shown to work.
- With the first factor come ten recovery codes, shown once; with the last one they go. Other sessions end.
"""

from __future__ import annotations

import secrets
import unicodedata
from dataclasses import dataclass, field
from datetime import datetime

from controller.desk import codes, fresh, passkeys
from controller.desk.fresh import Critical, SignedIn
from controller.desk.passkeys import BadAnswer, Site
from controller.desk.proving import REGISTER, Proving, Reply
from controller.desk.tokens import hashed
from controller.desk.wishes import DeskError
from controller.store import StoreError
from controller.store.factors import CodeApp, Held, Passkey
from controller.store.rows import Act
from controller.vault import Lockbox

MOST_PASSKEYS = 10
MOST_NAME_CHARS = 60


@dataclass(frozen=True)
class NewApp:
    """An app to set up: its secret in base32, and the address that it reads off the screen."""

    secret: str = field(repr=False)
    address: str = field(repr=False)


class FactorKeeping(Proving):
    """The part of the desk where a person keeps their second factors."""

    def factors(self, who: SignedIn) -> tuple[Held, list[Passkey]]:
        """What this person has."""
        return self._store.factors.held(who.id), self._store.factors.passkeys(who.id)

    def begin_code(self, who: SignedIn, station: str, now: datetime) -> NewApp:
        """A new secret for an app. Raises NotFresh, ``code_there``."""
        fresh.need(who, Critical.FACTORS, now)
        secret = codes.new_secret()
        if not self._store.factors.begin_code(CodeApp(who.id, self._lockbox().lock(secret, who.id), now)):
            raise DeskError("desk.code_there")
        return NewApp(secret, codes.address(secret, who.name, station))

    def waiting_code(self, who: SignedIn, station: str) -> NewApp | None:
        """The app that is still to be confirmed, if there is one."""
        app = self._store.factors.code_app(who.id)
        if app is None or app.confirmed_at is not None:
            return None
        secret = self._lockbox().open(app.locked, who.id)
        return NewApp(secret, codes.address(secret, who.name, station))

    def confirm_code(self, who: SignedIn, typed: str, now: datetime) -> tuple[str, ...]:
        """The app shows the right code: it counts from now on. Recovery codes where it is the first factor.

        Raises NotFresh, ``wrong_proof``.
        """
        fresh.need(who, Critical.FACTORS, now)
        app = self._store.factors.code_app(who.id)
        if app is None or app.confirmed_at is not None:
            raise DeskError("desk.wrong_proof")
        step = codes.step_of(self._lockbox().open(app.locked, who.id), typed, now)
        act = Act(who.name, "set up codes", who.name, "", now)
        if step is None or not self._store.factors.confirm_code(app, step, now, act):
            raise DeskError("desk.wrong_proof")
        return self._begun(who, now)

    def drop_code(self, who: SignedIn, now: datetime) -> bool:
        """The app counts no more. Whether there was one. Raises NotFresh."""
        fresh.need(who, Critical.FACTORS, now)
        return self._store.factors.drop_code(who.id, Act(who.name, "removed codes", who.name, "", now))

    def begin_passkey(self, who: SignedIn, site: Site, now: datetime) -> tuple[str, str]:
        """A token, and what the browser is asked to make, as JSON. Raises NotFresh, ``too_many_passkeys``."""
        fresh.need(who, Critical.FACTORS, now)
        held = self._store.factors.passkeys(who.id)
        if len(held) >= MOST_PASSKEYS:
            raise DeskError("desk.too_many_passkeys", most=MOST_PASSKEYS)
        challenge = secrets.token_bytes(32)
        token = self._ask(REGISTER, who, now, challenge.hex())
        return token, passkeys.to_register(site, who, challenge, held)

    def add_passkey(self, who: SignedIn, reply: Reply, name: str, now: datetime) -> tuple[str, ...]:
        """The passkey that the browser made, under a name. Recovery codes where it is the first factor.

        Raises NotFresh, ``passkey_refused``.
        """
        fresh.need(who, Critical.FACTORS, now)
        question = self._store.factors.answered(hashed(reply.token), REGISTER, now)
        if question is None or question.user != who.id:
            raise DeskError("desk.passkey_refused")
        try:
            made = passkeys.registered(reply.site, reply.answer, bytes.fromhex(question.challenge))
            new = Passkey(made.id, who.id, _named(name), made.public_key, made.uses, now)
            self._store.factors.add_passkey(new, Act(who.name, "added a passkey", who.name, new.name, now))
        except BadAnswer:
            raise DeskError("desk.passkey_refused") from None
        except StoreError as wrong:
            raise (DeskError("desk.passkey_refused") if wrong.key == "store.conflict" else wrong) from None
        return self._begun(who, now)

    def drop_passkey(self, who: SignedIn, name: str, now: datetime) -> bool:
        """One's own passkey, by its id, counts no more. Whether there was one. Raises NotFresh."""
        fresh.need(who, Critical.FACTORS, now)
        held = self._store.factors.passkey(name)
        called = held.name if held and held.user == who.id else ""
        return self._store.factors.drop_passkey(who.id, name, Act(who.name, "removed a passkey", who.name, called, now))

    def new_recovery(self, who: SignedIn, now: datetime) -> tuple[str, ...]:
        """Ten new recovery codes; the former ones open nothing. Raises NotFresh, ``no_factor``."""
        fresh.need(who, Critical.FACTORS, now)
        if not self._store.factors.held(who.id).any:
            raise DeskError("desk.no_factor")
        return self._recovery(who, now)

    def _begun(self, who: SignedIn, now: datetime) -> tuple[str, ...]:
        """Whoever set a factor up has proved who they are; elsewhere nobody is signed in by a password alone."""
        self._proved(who, "set-up", now)
        if self._store.factors.held(who.id).recovery:
            return ()
        act = Act(who.name, "ended all other sessions", who.name, "", now)
        self._store.people.end_sessions(who.id, but=who.session, act=act)
        return self._recovery(who, now)

    def _recovery(self, who: SignedIn, now: datetime) -> tuple[str, ...]:
        made, lockbox = codes.new_recovery(), self._lockbox()
        marks = [lockbox.mark(codes.plain_recovery(each), who.id) for each in made]
        self._store.factors.set_recovery(who.id, marks, Act(who.name, "made recovery codes", who.name, "", now))
        return made

    def _lockbox(self) -> Lockbox:
        lockbox = self._proofs.lockbox
        if lockbox is None:
            raise DeskError("desk.no_lockbox")
        return lockbox


def _named(name: str) -> str:
    """A passkey's name on one line. Raises ``bad_name``."""
    tidy = " ".join(unicodedata.normalize("NFC", name).split())
    if not tidy or len(tidy) > MOST_NAME_CHARS or not tidy.isprintable():
        raise DeskError("desk.bad_name", name=tidy[:80])
    return tidy
