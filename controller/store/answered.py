"""What a program was answered, so that the same request sent again does nothing twice (Idempotency-Key).

- A key belongs to one token. Whoever claims it first is served; who comes meanwhile, or with another request, is told.
- A claim that was never answered (its process died) may be taken over after `ABANDONED_AFTER`.
- Answers are kept for `KEPT`, and of one token at most `MOST_OF_TOKEN`: the oldest go first.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

import sqlalchemy as sa

from controller.store.api_tables import api_answers
from controller.store.database import Database
from controller.store.shapes import shaped

KEPT = timedelta(hours=24)
ABANDONED_AFTER = timedelta(minutes=2)
MOST_OF_TOKEN = 10_000


@dataclass(frozen=True)
class Asked:
    """A request that wants to be done once: by which token, under which key, and the digest of what it asks."""

    token: str
    key: str
    digest: str
    asked_at: datetime


@dataclass(frozen=True)
class Answer:
    """What was answered: ``headers`` as lines ``Name: value``."""

    status: int
    headers: str
    body: str


class Claim(StrEnum):
    """What is to be done with a request."""

    MINE = "mine"  # do it, then keep or forget
    BUSY = "busy"  # the same is being done
    OTHER = "other"  # the key was used for another request


class Answered:
    """Requests by their keys."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def claim(self, asked: Asked) -> Claim | Answer:
        """The answer that was given before, or what to do."""
        mine = (api_answers.c.token == asked.token) & (api_answers.c.key == asked.key)
        with self._database.writing() as connection:
            connection.execute(sa.delete(api_answers).where(api_answers.c.asked_at <= asked.asked_at - KEPT))
            enter = self._database.upsert(api_answers).values(**vars(asked), status=0, headers="", body="")
            fresh = enter.on_conflict_do_nothing(index_elements=["token", "key"]).returning(api_answers.c.key)
            if connection.execute(fresh).first():
                self._thin_out(connection, asked.token)
                return Claim.MINE
            row = connection.execute(sa.select(api_answers).where(mine).with_for_update()).one()
            if row.digest != asked.digest:
                return Claim.OTHER
            if row.status:
                return shaped(Answer, row)
            if asked.asked_at - row.asked_at < ABANDONED_AFTER:
                return Claim.BUSY
            connection.execute(sa.update(api_answers).where(mine).values(asked_at=asked.asked_at))
            return Claim.MINE

    def keep(self, asked: Asked, answer: Answer) -> None:
        """From now on this is the answer."""
        with self._database.writing() as connection:
            connection.execute(sa.update(api_answers).where(_of(asked)).values(**vars(answer)))

    def forget(self, asked: Asked) -> None:
        """It was not done: it may be asked again."""
        with self._database.writing() as connection:
            connection.execute(sa.delete(api_answers).where(_of(asked) & (api_answers.c.status == 0)))

    @staticmethod
    def _thin_out(connection: sa.Connection, token: str) -> None:
        mine = api_answers.c.token == token
        count = connection.execute(sa.select(sa.func.count()).select_from(api_answers).where(mine)).scalar_one()
        if count > MOST_OF_TOKEN:
            oldest = sa.select(api_answers.c.key).where(mine & (api_answers.c.status != 0))
            old = connection.execute(oldest.order_by(api_answers.c.asked_at).limit(MOST_OF_TOKEN // 100)).scalars()
            connection.execute(sa.delete(api_answers).where(mine & api_answers.c.key.in_(old.all())))


def _of(asked: Asked) -> sa.ColumnElement[bool]:
    return (api_answers.c.token == asked.token) & (api_answers.c.key == asked.key)
