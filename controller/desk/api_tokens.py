"""Tokens at the desk: a person lets a program act for them, in part of what they may do and for a time.

- A token never holds more than its maker: it is worth what of its own right its maker may do at that very moment. It
  ends with the maker's right, with their leaving, and by itself.
- Whoever comes by a token has proved nothing: whatever wants a fresh proof (`fresh`) is refused to it.
- An emergency is ordered by people: no token holds that role.
- What is done by it stands in the audit log under both names, ``person/token``; no person's name has a ``/``.
"""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from controller import rights
from controller.desk import fresh, reach
from controller.desk.fresh import Critical, SignedIn
from controller.desk.proving import Proving
from controller.desk.tokens import hashed
from controller.desk.wishes import DeskError
from controller.rights import EVERYWHERE, PERMISSIONS, Grant, Permission, Role
from controller.store.rows import Act, User
from controller.store.tokens import TokenRow
from wire.names import lies_within

ROLES = (Role.VIEWER, Role.EDITOR, Role.APPROVER, Role.OPERATOR, Role.ADMINISTRATOR)
FARTHEST = timedelta(days=366)
MOST_OF_PERSON = 20  # that count
PREFIX = "loa_"  # so that whoever finds one in a log or a repository knows what it is
MOST_NAME_CHARS = 40

_NAME = re.compile(r"[\w.-]{1,40}")


@dataclass(frozen=True)
class Lending:
    """What a program shall be let do: a role over ``area`` (``*``: everywhere) and all in it, until a moment."""

    name: str
    role: Role
    area: str
    until: datetime


@dataclass(frozen=True)
class ByToken(SignedIn):
    """A program that acts for a person: ``grants`` are what of the token's right its maker holds."""

    token_id: str = ""
    person: str = field(default="", compare=False)  # the maker's own name


def answering(who: User) -> tuple[str, str]:
    """Whose name is noted where ``who`` is turned away, and by which token, if by one."""
    return (who.person, f"token={who.name.rpartition('/')[2]}") if isinstance(who, ByToken) else (who.name, "")


class ApiTokens(Proving):
    """The part of the desk where programs are let in."""

    def make_token(self, lending: Lending, who: User, now: datetime) -> tuple[TokenRow, str]:
        """A token, and its secret, which nobody is ever shown again. Raises DeskError, NotFresh."""
        if not _NAME.fullmatch(lending.name):
            raise DeskError("desk.bad_name", name=lending.name[:80])
        if lending.role not in ROLES:
            raise DeskError("desk.token_no_emergency")
        if lending.area != EVERYWHERE and self._store.roster.area(lending.area) is None:
            raise DeskError("desk.unknown_area", area=lending.area[:80])
        if not now < lending.until <= now + FARTHEST:
            raise DeskError("desk.token_bad_time", days=FARTHEST.days)
        secret = PREFIX + secrets.token_urlsafe(32)
        row = TokenRow(
            f"t{secrets.token_hex(6)}",
            who.id,
            lending.name,
            hashed(secret),
            *(lending.role, lending.area, now, lending.until),
        )
        if isinstance(who, ByToken) or not any(each.area == lending.area for each in worth(row, who)):
            raise DeskError("desk.token_beyond", name=who.name)
        if any(each.name == row.name and each.counts(now) for each in self._store.tokens.all(who.id)):
            raise DeskError("desk.name_taken", name=row.name)
        fresh.need(who, Critical.KEYS, now)
        told = f"{row.name}: {row.role.value} of {row.area} until={row.until.isoformat()}"
        if not self._store.tokens.add(row, MOST_OF_PERSON, Act(who.name, "made a token", who.name, told, now)):
            raise DeskError("desk.too_many_tokens", most=MOST_OF_PERSON)
        return row, secret

    def tokens(self, who: User, now: datetime) -> list[tuple[User, TokenRow]]:
        """One's own tokens, and those of whoever one answers for; with whose they are, the newest first."""
        mine = {who.id: who}
        if reach.may(who, Permission.PEOPLE, (), now):
            mine |= {each.id: each for each in self._store.people.all() if self._ends_for(who, each, now)}
        return [(mine[each.user], each) for each in self._store.tokens.all() if each.user in mine]

    def end_token(self, token_id: str, who: User, now: datetime) -> TokenRow:
        """It opens nothing from now on; one that has ended stays so. Raises DeskError."""
        row = self._store.tokens.get(token_id)
        owner = self._store.people.get(row.user) if row else None
        if row is None or owner is None or isinstance(who, ByToken):
            raise DeskError("desk.unknown_token")
        if owner.id != who.id and not self._ends_for(who, owner, now):
            raise DeskError("desk.unknown_token")
        self._store.tokens.end(row.id, now, Act(who.name, "ended a token", owner.name, row.name, now))
        return row

    def by_token(self, secret: str, now: datetime) -> ByToken | None:
        """Who acts by that token, while it counts and its person has not left."""
        row = self._store.tokens.by_hash(hashed(secret), now)
        owner = self._store.people.get(row.user) if row else None
        if row is None or owner is None or owner.disabled:
            return None
        held = self._store.factors.held(owner.id)
        facts = {**vars(owner), "name": f"{owner.name}/{row.name}", "grants": worth(row, owner), "password_hash": ""}
        return ByToken(
            **facts,
            has_code=held.code,
            has_passkey=held.passkeys > 0,
            policy=self._proofs.policy,
            token_id=row.id,
            person=owner.name,
        )

    @staticmethod
    def _ends_for(who: User, owner: User, now: datetime) -> bool:
        """Whether ``who`` may end what ``owner`` made: they may let them out too."""
        return rights.answers_for(who, owner, now)


def worth(row: TokenRow, owner: User) -> tuple[Grant, ...]:
    """What of the token's right its maker holds, as grants with the times and hours of the maker's own."""
    wanted = PERMISSIONS[row.role]
    found = []
    for each in owner.grants:
        area = _narrower(each.area, row.area)
        if area and wanted <= PERMISSIONS[each.role]:
            until = row.until if each.until is None else min(each.until, row.until)
            found.append(replace(each, role=row.role, area=area, until=until))
    return tuple(found)


def _narrower(one: str, other: str) -> str:
    """The smaller of two areas of which one lies in the other; empty where neither does."""
    if lies_within(one, other):
        return one
    return other if lies_within(other, one) else ""
