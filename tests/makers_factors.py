"""Makers for second factors: a desk with a lockbox, and a person who is signed in at it."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pyotp
from makers_passkeys import SITE, SoftKey
from makers_store import held

from controller.desk import Desk, ProofRules, Reply, SecondFactor, SignedIn
from controller.desk.tokens import hashed
from controller.rights import Role
from controller.store import Store
from controller.store.rows import Session, User
from controller.vault import Lockbox

NOW = datetime(2026, 11, 24, 5, 0, tzinfo=UTC)
STATION = "Đài xã"


def make_desk(store: Store, folder: Path, policy: SecondFactor = SecondFactor.OWN) -> Desk:
    """A desk whose key lies in ``folder``."""
    rules = ProofRules(policy=policy, lockbox=Lockbox(folder / "keys"))
    return Desk(store, "Asia/Ho_Chi_Minh", lambda: None).proving_by(rules)


def person(store: Store, name: str = "mai", role: Role = Role.EMERGENCY) -> User:
    """Somebody, entered without a password."""
    user = User(f"u-{name}", name, "*", NOW, name.title(), grants=held(f"u-{name}", role, "*"))
    store.people.add(user)
    return user


def signed_in(desk: Desk, store: Store, user: User, now: datetime = NOW, proven: bool = True) -> SignedIn:
    """That person in a new session, proven just now or long ago."""
    token = f"token of {user.name} {now.timestamp()} {proven}"
    opened = Session(hashed(token), user.id, now, now.replace(year=now.year + 1), "", now, now if proven else None)
    store.people.open_session(opened, now)
    found = desk.signed_in(token, now)
    assert found is not None
    return found


def again(desk: Desk, store: Store, who: SignedIn, now: datetime = NOW) -> SignedIn:
    """The same person and session as the desk sees them now."""
    found = store.people.visit(who.session, now)
    assert found is not None
    factors = store.factors.held(who.id)
    session = found[1]
    until = session.proven_at + desk._proofs.fresh_for if session.proven_at else None
    return SignedIn(
        **vars(found[0]),
        session=session.token_hash,
        proven_at=session.proven_at,
        fresh_until=until,
        has_code=factors.code,
        has_passkey=factors.passkeys > 0,
        policy=desk._proofs.policy,
    )


def set_up_codes(desk: Desk, who: SignedIn, now: datetime = NOW) -> tuple[pyotp.TOTP, tuple[str, ...]]:
    """Codes on a phone, confirmed by the one of ``now``; and the recovery codes that came with it."""
    app = pyotp.TOTP(desk.begin_code(who, STATION, now).secret)
    return app, desk.confirm_code(who, app.at(now), now)


def set_up_passkey(desk: Desk, who: SignedIn, now: datetime = NOW) -> SoftKey:
    """A passkey, registered."""
    made = SoftKey()
    token, options = desk.begin_passkey(who, SITE, now)
    desk.add_passkey(who, Reply(SITE, token, made.makes(options)), "Máy bàn", now)
    return made
