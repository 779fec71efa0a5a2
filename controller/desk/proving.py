"""Proving who one is: the second step of coming in, passkeys alone, and the same again before what is critical.

- What is asked is kept here, by the hash of a token: short-lived, and used up by its first answer.
- A code is accepted once; a recovery code is used up; a passkey whose counter went back is refused, and noted.
- Wrong, replayed, too late and somebody else's are answered alike. Tries are counted by whoever asks this desk.
"""

from __future__ import annotations

import logging
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Self

from controller.desk import codes, passkeys, passwords
from controller.desk.fresh import SecondFactor, SignedIn
from controller.desk.passkeys import BadAnswer, Site
from controller.desk.tokens import hashed
from controller.desk.wishes import DeskError, Entry, Halfway
from controller.store import Store
from controller.store.factors import Asked, Passkey
from controller.store.rows import Act, Session, User
from controller.vault import Lockbox, VaultError

log = logging.getLogger(__name__)

SESSION = timedelta(hours=12)
ANSWERED_WITHIN = timedelta(minutes=5)
SECOND, ENTER, STEP_UP, REGISTER = "second", "enter", "step_up", "register"


@dataclass(frozen=True)
class ProofRules:
    """How long a proof is fresh, of whom a second factor is demanded, and where secrets are locked."""

    fresh_for: timedelta = timedelta(minutes=10)
    policy: SecondFactor = SecondFactor.OWN
    lockbox: Lockbox | None = None


@dataclass(frozen=True)
class Reply:
    """What a browser answered for a passkey: where, the token of what was asked, and the answer as JSON."""

    site: Site
    token: str
    answer: str


class Proving:
    """The part of the desk where people prove who they are."""

    _store: Store
    _proofs: ProofRules = ProofRules()

    def proving_by(self, proofs: ProofRules) -> Self:
        """This desk, by these rules."""
        self._proofs = proofs
        return self

    def signed_in(self, token: str, now: datetime) -> SignedIn | None:
        """Whose token this is, while the session lasts."""
        found = self._store.people.visit(hashed(token), now)
        if found is None:
            return None
        user, session = found
        held = self._store.factors.held(user.id)
        until = session.proven_at + self._proofs.fresh_for if session.proven_at else None
        return SignedIn(
            **vars(user),
            session=session.token_hash,
            proven_at=session.proven_at,
            fresh_until=until,
            has_code=held.code,
            has_passkey=held.passkeys > 0,
            policy=self._proofs.policy,
        )

    def halfway(self, token: str, now: datetime) -> User | None:
        """Whose second step that token waits for."""
        question = self._store.factors.asking(hashed(token), SECOND, now)
        user = self._store.people.get(question.user) if question and question.user else None
        return None if user is None or user.disabled else user

    def finish(self, token: str, typed: str, now: datetime, device: str = "") -> Entry:
        """The second step, by a code or a recovery code. Raises ``wrong_proof``; the step stays open."""
        user = self.halfway(token, now)
        if user is None or self._second_right(user, typed, now) is None:
            raise DeskError("desk.wrong_proof")
        return self._finished(user, token, now, device)

    def finish_by_passkey(self, token: str, reply: Reply, now: datetime, device: str = "") -> Entry:
        """The second step, by a passkey. Raises ``wrong_proof``; the step stays open."""
        user = self.halfway(token, now)
        if user is None or self._holder(reply, SECOND + ENTER, now).id != user.id:
            raise DeskError("desk.wrong_proof")
        return self._finished(user, token, now, device)

    def enter_by_passkey(self, reply: Reply, now: datetime, device: str = "") -> Entry:
        """Come in by a passkey alone, which asked its person for a finger, a face or a PIN. Raises ``wrong_proof``."""
        return self._entered(self._holder(reply, ENTER, now), now, device, now, "passkey")

    def ask_passkey(self, site: Site, who: User | None, purpose: str, now: datetime) -> tuple[str, str]:
        """A token, and what the browser is asked as JSON, for ``who`` or for whoever holds a passkey."""
        held = self._store.factors.passkeys(who.id) if who else []
        challenge = secrets.token_bytes(32)
        token = self._ask(SECOND + ENTER if purpose == SECOND else purpose, who, now, challenge.hex())
        return token, passkeys.to_prove(site, challenge, held)

    def prove(self, who: SignedIn, typed: str, now: datetime) -> None:
        """Step up by what was typed: a code of a second factor, without one the password. Raises ``wrong_proof``."""
        if who.has_factor:
            way = self._second_right(who, typed, now)
        else:
            user = self._store.people.get(who.id)
            way = "password" if passwords.fits((user and user.password_hash) or passwords.nobodys(), typed) else None
        if way is None:
            raise DeskError("desk.wrong_proof")
        self._proved(who, way, now)

    def prove_by_passkey(self, who: SignedIn, reply: Reply, now: datetime) -> None:
        """Step up by a passkey. Raises ``wrong_proof``."""
        if self._holder(reply, STEP_UP, now).id != who.id:
            raise DeskError("desk.wrong_proof")
        self._proved(who, "passkey", now)

    def _proved(self, who: SignedIn, way: str, now: datetime) -> None:
        self._store.people.prove(who.session, now, Act(who.name, "proved who they are", who.name, way, now))

    def _let_in(self, user: User, now: datetime, device: str) -> Entry | Halfway:
        """In, or halfway where there is a second factor."""
        if self._store.factors.held(user.id).any:
            return Halfway(user, self._ask(SECOND, user, now))
        return self._entered(user, now, device, now, "password")

    def _finished(self, user: User, token: str, now: datetime, device: str) -> Entry:
        if self._store.factors.answered(hashed(token), SECOND, now) is None:
            raise DeskError("desk.wrong_proof")  # another try was first
        return self._entered(user, now, device, now, "second factor")

    def _entered(self, user: User, now: datetime, device: str, proven_at: datetime | None, way: str = "") -> Entry:
        """In, by that ``way``; none is noted where what led here stands in the audit log itself."""
        token = secrets.token_urlsafe(32)
        opened = Session(hashed(token), user.id, now, now + SESSION, device[:80], now, proven_at)
        act = Act(user.name, "signed in", user.name, f"{way} {device[:80]}".rstrip(), now) if way else None
        self._store.people.open_session(opened, now, act)
        return Entry(user, token)

    @staticmethod
    def _proven_before(who: User, now: datetime) -> datetime | None:
        """When somebody was proven who has just typed the password: with a second factor that is not enough."""
        return who.proven_at if isinstance(who, SignedIn) and who.has_factor else now

    def _ask(self, purpose: str, who: User | None, now: datetime, challenge: str = "") -> str:
        token = secrets.token_urlsafe(32)
        question = Asked(hashed(token), purpose, who.id if who else None, challenge, now + ANSWERED_WITHIN)
        self._store.factors.ask(question, now)
        return token

    def _second_right(self, user: User, typed: str, now: datetime) -> str | None:
        """Whether that is this person's code or recovery code, which is used up by it: which of the two."""
        lockbox = self._proofs.lockbox
        app = self._store.factors.code_app(user.id)
        try:
            if lockbox and app and app.confirmed_at:
                step = codes.step_of(lockbox.open(app.locked, user.id), typed, now)
                if step is not None:
                    return "code" if self._store.factors.use_step(user.id, step) else None
            if lockbox:
                mark = lockbox.mark(codes.plain_recovery(typed), user.id)
                act = Act(user.name, "used a recovery code", user.name, "", now)
                return "recovery code" if self._store.factors.use_recovery(user.id, mark, now, act) else None
        except VaultError as wrong:
            log.error("a second factor cannot be checked user=%s why=%s", user.name, wrong.key)
        return None

    def _holder(self, reply: Reply, purpose: str, now: datetime) -> User:
        """Whose passkey answered what was asked. Raises ``wrong_proof``."""
        question = self._store.factors.answered(hashed(reply.token), purpose, now)
        try:
            held = self._store.factors.passkey(passkeys.id_in(reply.answer)) if question else None
            if question is None or held is None or question.user not in (None, held.user):
                raise DeskError("desk.wrong_proof")
            answer = passkeys.proven(reply.site, reply.answer, bytes.fromhex(question.challenge), held)
        except BadAnswer as wrong:
            log.warning("a passkey's answer was refused purpose=%s why=%s", purpose, wrong)
            raise DeskError("desk.wrong_proof") from None
        user = self._store.people.get(held.user)
        if user is None or user.disabled or not self._counted(held, answer.uses, user, now):
            raise DeskError("desk.wrong_proof")
        return user

    def _counted(self, held: Passkey, uses: int, user: User, now: datetime) -> bool:
        """Whether the counter moved on, or has never been one: a copy would tell on itself (WebAuthn, 6.1.1)."""
        if (uses or held.uses) and uses <= held.uses:
            told = f"{held.name}: {held.uses} → {uses}"
            self._store.acts.add(Act(user.name, "refused a passkey gone back", user.name, told, now))
            return False
        return self._store.factors.use_passkey(held, uses, now)
