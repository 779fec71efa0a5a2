"""The as-run log: what every node did with every job, as its sealed receipts say.

- Storing a receipt twice is storing it once. A receipt past a gap is kept, but not acknowledged: the node sends
  the gap again.
- A job has one outcome on a node: the first one stored stands; another that differs is counted as forked.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from controller.roster import Node
from controller.store.audit import count_refusals
from controller.store.database import Database
from controller.store.fact_tables import outcomes, receipts, sounded, streams
from controller.store.facts import Fetched, Outcome
from controller.store.roster import RosterBook
from controller.store.tables import announcements, bookings, enrolments, node_groups, nodes
from wire import codec
from wire.errors import Reason
from wire.receipt import OUTCOMES, Receipt, Receipts, Step

_MOST_BYTES = 8192  # of one receipt
_ITEM = f"p{'_' * 12}-%"  # how jobs of fixed items are named (`placing`), as LIKE says it
_AT_ONCE = 500  # jobs named in one query
_TELLING = (*OUTCOMES, Step.ACCEPTED)


class AsRun:
    """Receipts and outcomes."""

    def __init__(self, database: Database, roster: RosterBook) -> None:
        self._database, self._roster = database, roster

    def store_receipts(self, batch: Receipts, received_at: datetime) -> int:
        """Store one batch; the highest number up to which the stream is stored without a gap."""
        return self.store_batches([batch], received_at)[0]

    def store_batches(self, batches: Sequence[Receipts], received_at: datetime) -> list[int]:
        """Store many batches in one transaction; for each, as `store_receipts`."""
        with self._database.writing() as connection:
            return [self._store(connection, batch, received_at) for batch in batches]

    def upto(self, node: str, stream: str) -> int:
        """The highest number up to which this stream is stored without a gap; 0 when nothing is."""
        with self._database.reading() as connection:
            return _upto(connection, node, stream)

    def receipts(self, job: str, node: str) -> list[Receipt]:
        """Every receipt of one job on one node, in the order in which the node wrote them."""
        mine = (receipts.c.job == job) & (receipts.c.node == node)
        begun = sa.func.min(receipts.c.received_at).over(partition_by=receipts.c.stream)
        query = sa.select(receipts.c.body).where(mine).order_by(begun, receipts.c.stream, receipts.c.number)
        with self._database.reading() as connection:
            return [read_receipt(body) for body in connection.execute(query).scalars()]

    def fetched(self, jobs: Sequence[str]) -> dict[str, dict[str, Fetched]]:
        """The audio that nodes said last that they have for these jobs: by job, then by node."""
        found: dict[str, dict[str, Fetched]] = {}
        with self._database.reading() as connection:
            for first in range(0, len(jobs), _AT_ONCE):
                mine = receipts.c.job.in_(jobs[first : first + _AT_ONCE]) & (receipts.c.step == Step.FETCHED.value)
                query = sa.select(receipts.c.job, receipts.c.node, receipts.c.body).where(mine)
                for job, node, body in connection.execute(query.order_by(receipts.c.at, receipts.c.number)):
                    said = read_receipt(body)
                    found.setdefault(job, {})[node] = Fetched(said.asset, said.at)
        return found

    def failed(self, area: str | None, since: datetime, limit: int) -> list[Outcome]:
        """What was missed, refused or broken off since then, in an area (None: anywhere), the newest first."""
        steps = [step.value for step in (Step.MISSED, Step.REFUSED, Step.INTERRUPTED)]
        return self._outcomes([*_asked(None, area, since), outcomes.c.step.in_(steps)], limit)

    def stored(self) -> int:
        """How many receipts are stored without a gap, of all nodes: it changes when something new was told."""
        with self._database.reading() as connection:
            return int(connection.execute(sa.select(sa.func.sum(streams.c.upto))).scalar() or 0)

    def outcomes(
        self, job: str | None = None, area: str | None = None, since: datetime | None = None, limit: int = 500
    ) -> list[Outcome]:
        """What was stored last comes first. ``job``: a job, or a booking with all its comings.

        ``area``: of nodes that lie in it, are in the group, or are it.
        """
        return self._outcomes(_asked(job, area, since), limit)

    def newest(self, area: str | None, limit: int) -> list[Outcome]:
        """As `outcomes`, but for the items of programmes that were taken back before anything of them sounded."""
        return self._outcomes([*_asked(None, area, None), ~taken_back()], limit)

    def _outcomes(self, asked: Iterable[sa.ColumnElement[bool]], limit: int) -> list[Outcome]:
        query = asked_for(asked).limit(limit)
        with self._database.reading() as connection:
            return [outcome_of(row) for row in connection.execute(query).mappings()]

    def waited_for(self, job: str) -> list[Node]:
        """The nodes that the job's booking reaches and that have not told its end."""
        with self._database.reading() as connection:
            booked = sa.select(bookings.c.areas).where(bookings.c.id == _booking(job))
            areas: Any = connection.execute(booked).scalar() or ()
            told = set(connection.execute(sa.select(outcomes.c.node).where(outcomes.c.job == job)).scalars())
        return [node for node in self._roster.reached(areas) if node.id not in told]

    def last_sounded(self, of: Sequence[str] | None = None) -> dict[str, datetime]:
        """When each node (or those named) last reported that a job sounded (as received)."""
        query = sa.select(sounded.c.node, sounded.c.received_at)
        if of is not None:
            query = query.where(sounded.c.node.in_(of))
        with self._database.reading() as connection:
            return {row[0]: row[1] for row in connection.execute(query)}

    def _store(self, connection: sa.Connection, batch: Receipts, received_at: datetime) -> int:
        known = _known(connection, batch)
        fresh = []
        for receipt in {each.number: each for each in batch.receipts}.values():
            body = codec.write(receipt).decode()
            if receipt.number not in known:
                fresh.append((receipt, body))
            elif known[receipt.number] != body:
                self._forked(connection, batch.node, f"receipt {receipt.number} came with other content", received_at)
        if fresh:
            self._insert_receipts(connection, batch, fresh, received_at)
            self._insert_outcomes(connection, batch.node, fresh, received_at)
        return self._advance(connection, batch, received_at)

    def _insert_receipts(
        self, connection: sa.Connection, batch: Receipts, fresh: list[tuple[Receipt, str]], received_at: datetime
    ) -> None:
        rows = [
            {"node": batch.node, "stream": batch.stream, "number": receipt.number, "job": receipt.job}
            | {"step": receipt.step.value, "at": receipt.at, "body": body, "received_at": received_at}
            for receipt, body in fresh
        ]
        insert = self._database.upsert(receipts)
        connection.execute(insert.on_conflict_do_nothing(index_elements=["node", "stream", "number"]), rows)

    def _insert_outcomes(
        self, connection: sa.Connection, node: str, fresh: list[tuple[Receipt, str]], received_at: datetime
    ) -> None:
        """The first outcome of each job stands; one that says another thing is counted.

        But a job that was withdrawn before it began, and is accepted again, has none any more.
        """
        told = sorted((each for each in fresh if each[0].step in _TELLING), key=lambda each: each[0].number)
        jobs = [receipt.job for receipt, _ in told]
        held = sa.select(outcomes.c.job, outcomes.c.step).where((outcomes.c.node == node) & outcomes.c.job.in_(jobs))
        steps: dict[str, str] = {row.job: row.step for row in connection.execute(held)} if jobs else {}
        rows: dict[str, dict[str, object]] = {}
        again: set[str] = set()
        for receipt, body in told:
            step = steps.get(receipt.job, "")
            if receipt.step is Step.ACCEPTED:
                if step == Step.WITHDRAWN.value:
                    again.add(receipt.job)
                    rows.pop(receipt.job, None)
                    del steps[receipt.job]
            elif not step:
                steps[receipt.job] = receipt.step.value
                row = {"job": receipt.job, "node": node, "booking": _booking(receipt.job), "step": receipt.step.value}
                rows[receipt.job] = row | {"body": body, "received_at": received_at}
            elif step != receipt.step.value and not self._was_another_device(connection, node, receipt.job):
                detail = f"job {receipt.job} had ended as {step}, came again as {receipt.step.value}"
                self._forked(connection, node, detail, received_at)
        if again:
            connection.execute(sa.delete(outcomes).where((outcomes.c.node == node) & outcomes.c.job.in_(sorted(again))))
        if rows:
            insert = self._database.upsert(outcomes)
            connection.execute(insert.on_conflict_do_nothing(index_elements=["job", "node"]), list(rows.values()))
        if any(row["step"] == Step.SOUNDED.value for row in rows.values()):
            last = self._database.upsert(sounded).values(node=node, received_at=received_at)
            later = sounded.c.received_at < last.excluded.received_at
            values = {"received_at": received_at}
            connection.execute(last.on_conflict_do_update(index_elements=["node"], set_=values, where=later))

    @staticmethod
    def _was_another_device(connection: sa.Connection, node: str, job: str) -> bool:
        """Whether the outcome held came from a device that has been replaced since: two devices are no fork."""
        mine = (outcomes.c.job == job) & (outcomes.c.node == node)
        newest = sa.select(sa.func.max(enrolments.c.used_at)).where(enrolments.c.node == node).scalar_subquery()
        before = sa.select(outcomes.c.job).where(mine & (outcomes.c.received_at < newest))
        return connection.execute(before).first() is not None

    def _forked(self, connection: sa.Connection, node: str, detail: str, at: datetime) -> None:
        count_refusals(self._database, connection, {(Reason.FORKED.value, f"{node}/receipts"): (1, detail)}, at)

    def _advance(self, connection: sa.Connection, batch: Receipts, received_at: datetime) -> int:
        """Move the stream's mark over everything stored without a gap, and over what can never come again."""
        before = upto = _upto(connection, batch.node, batch.stream)
        if batch.forgotten > upto:  # acknowledged by a later state of this store than the one it was restored to
            detail = f"receipts {upto + 1} to {batch.forgotten} were acknowledged once and are lost here"
            place = {(Reason.ROLLED_BACK.value, f"{batch.node}/receipts"): (1, detail)}
            count_refusals(self._database, connection, place, received_at)
            upto = batch.forgotten
        mine = (receipts.c.node == batch.node) & (receipts.c.stream == batch.stream)
        beyond = sa.select(receipts.c.number).where(mine & (receipts.c.number > upto)).order_by(receipts.c.number)
        for number in connection.execute(beyond).scalars():
            if number != upto + 1:
                break
            upto = number
        if upto > before:
            insert = self._database.upsert(streams).values(node=batch.node, stream=batch.stream, upto=upto)
            higher = streams.c.upto < insert.excluded.upto
            connection.execute(
                insert.on_conflict_do_update(index_elements=["node", "stream"], set_={"upto": upto}, where=higher)
            )
        return upto


def _asked(job: str | None, area: str | None, since: datetime | None) -> list[sa.ColumnElement[bool]]:
    """What an outcome must be, to be one that was asked for."""
    asked: list[sa.ColumnElement[bool]] = []
    if job is not None:
        asked.append(of_job(job))
    if since is not None:
        asked.append(outcomes.c.received_at >= since)
    if area is not None:
        grouped = sa.select(node_groups.c.node).where(node_groups.c.area == area)
        below = nodes.c.home.startswith(f"{area}:", autoescape=True)
        asked.append((nodes.c.home == area) | below | (nodes.c.id == area) | nodes.c.id.in_(grouped))
    return asked


def _known(connection: sa.Connection, batch: Receipts) -> dict[int, str]:
    """What is stored under the batch's numbers already."""
    numbers = [receipt.number for receipt in batch.receipts]
    mine = (receipts.c.node == batch.node) & (receipts.c.stream == batch.stream) & receipts.c.number.in_(numbers)
    return {
        row.number: row.body for row in connection.execute(sa.select(receipts.c.number, receipts.c.body).where(mine))
    }


def _upto(connection: sa.Connection, node: str, stream: str) -> int:
    mine = (streams.c.node == node) & (streams.c.stream == stream)
    return int(connection.execute(sa.select(streams.c.upto).where(mine)).scalar() or 0)


def of_job(name: str) -> sa.ColumnElement[bool]:
    """The outcomes of a job, or of a booking with all its comings; each is found by one index alone."""
    return outcomes.c.job == name if ":" in name else outcomes.c.booking == name


def _booking(job: str) -> str:
    """The booking that a job is an occurrence of (`planner.job_id`)."""
    return job.partition(":")[0]


def read_receipt(body: str) -> Receipt:
    """A receipt as it was stored."""
    return codec.read(Receipt, body.encode(), _MOST_BYTES)


def asked_for(asked: Iterable[sa.ColumnElement[bool]]) -> sa.Select[Any]:
    """Those outcomes with their titles and names, what was stored last first."""
    return (
        sa.select(outcomes, nodes.c.name.label("node_name"), announcements.c.title)
        .outerjoin(nodes, nodes.c.id == outcomes.c.node)
        .outerjoin(bookings, bookings.c.id == outcomes.c.booking)
        .outerjoin(announcements, announcements.c.id == bookings.c.announcement)
        .where(*asked)
        .order_by(outcomes.c.received_at.desc(), outcomes.c.job, outcomes.c.node)
    )


def taken_back() -> sa.ColumnElement[bool]:
    """Whether it is an item of a programme that was taken back before anything of it sounded."""
    item = outcomes.c.booking.like(_ITEM) & ~outcomes.c.body.contains('"measured":{')
    return item & (outcomes.c.step == Step.WITHDRAWN.value)


def outcome_of(row: sa.RowMapping) -> Outcome:
    """A row of `asked_for`."""
    receipt = read_receipt(row["body"])
    return Outcome(
        job=row["job"],
        node=row["node"],
        node_name=row["node_name"] or "",
        title=row["title"] or "",
        step=receipt.step,
        at=receipt.at,
        planned_start=receipt.planned_start,
        asset=receipt.asset,
        reason=receipt.reason,
        detail=receipt.detail,
        measured=receipt.measured,
        received_at=row["received_at"],
    )
