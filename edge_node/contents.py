"""What a true seal may still not say: the checks of a document's contents, one rule a function. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from edge_node.settings import CLOCK_SLACK
from schedules import moments
from wire import names
from wire.config import NodeConfig
from wire.errors import Reason
from wire.plan import BulletinClass, Job, Lane, Plan
from wire.receipt import Ack
from wire.renewal import Renewed
from wire.seal import PublicKey
from wire.trust import Grant, Trust

Document = Trust | NodeConfig | Plan | Ack | Renewed

JOB_SPAN = timedelta(days=400)  # how far a job's times may lie from the moment its plan was issued
_HEIGHT = {BulletinClass.ORDINARY: 0, BulletinClass.PRIORITY: 1, BulletinClass.EMERGENCY: 2}
_YEARS = range(2000, 2200)


class Refused(Exception):
    """A rule is broken: `gate` makes a Refusal of it."""

    def __init__(self, reason: Reason, detail: str) -> None:
        super().__init__(f"{reason}: {detail}")
        self.reason, self.detail = reason, detail


@dataclass(frozen=True)
class Moment:
    """When a document is judged. ``restoring``: it was judged in time before, and comes from our own disk."""

    now: datetime
    clock_known: bool
    restoring: bool


def why_not_granted(grant: Grant, document: Document, area: str, moment: Moment) -> Refused | None:
    """Why this grant does not cover this document about ``area``; None when it does.

    What a document says of its own time lies before its key's end, known time or not: a stolen key cannot put a clock
    that knows no better beyond what the root gave it. What governs the node itself (a config can take away areas and
    quiet hours, an acknowledgement proof, a certificate the way to the broker) needs a key for every class.
    """
    at = document.issued_at if moment.restoring and not isinstance(document, Trust) else moment.now
    if max(at, document.issued_at) > grant.until or (moment.clock_known and at < grant.not_before - CLOCK_SLACK):
        return Refused(Reason.KEY_EXPIRED, f"granted from {grant.not_before} until {grant.until}")
    if not any(names.lies_within(area, owner) for owner in grant.areas):
        return Refused(Reason.WRONG_AREA, f"the key is not granted for {area}")
    if isinstance(document, NodeConfig | Ack | Renewed) and grant.up_to is not BulletinClass.EMERGENCY:
        return Refused(Reason.WRONG_CLASS, f"the key is up to {grant.up_to}: it governs no node")
    if isinstance(document, Plan):
        for job in document.jobs:
            if _HEIGHT[job.bulletin_class] > _HEIGHT[grant.up_to]:
                return Refused(Reason.WRONG_CLASS, f"job {job.id} is {job.bulletin_class}, the key up to {grant.up_to}")
    return None


def check(document: Document, node: str, area: str, line: str) -> None:
    """The document is about what its topic is about, and makes sense. Raises Refused."""
    if isinstance(document, NodeConfig | Ack | Renewed) and document.node != node:
        raise Refused(Reason.WRONG_AREA, f"for node {document.node}")
    if isinstance(document, NodeConfig):
        _check_config(document)
    elif isinstance(document, Trust):
        _check_trust(document)
    elif isinstance(document, Plan):
        _check_plan(document, area, line)


def check_times(document: Document, moment: Moment) -> None:
    """The document's own times, against now. Raises Refused."""
    if document.issued_at.year not in _YEARS:
        raise Refused(Reason.WRONG_TIME, f"issued in the year {document.issued_at.year}")
    if moment.restoring:
        return
    if moment.clock_known and document.issued_at > moment.now + CLOCK_SLACK:
        raise Refused(Reason.FROM_THE_FUTURE, f"issued at {document.issued_at}")
    if isinstance(document, Trust) and not moment.clock_known:
        return  # the bound of time may be a stolen key's word, and this document be what takes it back
    if isinstance(document, Plan | Trust) and moment.now > document.valid_until:
        raise Refused(Reason.EXPIRED, f"valid until {document.valid_until}")


def _check_plan(plan: Plan, area: str, line: str) -> None:
    if plan.area != area:
        raise Refused(Reason.WRONG_AREA, f"the plan is for {plan.area}")
    if plan.lane != line:
        raise Refused(Reason.WRONG_KIND, f"a {plan.lane} plan in the {line} lane")
    for job in plan.jobs:
        if (job.bulletin_class is BulletinClass.EMERGENCY) != (plan.lane is Lane.URGENT):
            raise Refused(Reason.WRONG_CLASS, f"job {job.id} is {job.bulletin_class}, the lane is {plan.lane}")
        if job.asset is not None and job.relay is not None:
            raise Refused(Reason.MALFORMED, f"job {job.id} has both an asset and a relay")
        _check_job_times(job, plan)


def _check_job_times(job: Job, plan: Plan) -> None:
    if job.deadline < job.start:
        raise Refused(Reason.WRONG_TIME, f"the deadline of job {job.id} is before its start")
    if abs(job.start - plan.issued_at) > JOB_SPAN or job.deadline - job.start > JOB_SPAN:
        raise Refused(Reason.WRONG_TIME, f"job {job.id} lies more than {JOB_SPAN.days} days away")


def _check_config(config: NodeConfig) -> None:
    try:
        moments.zone(config.zone)
    except moments.BadMoment as wrong:
        raise Refused(Reason.MALFORMED, str(wrong)) from None


def _check_trust(trust: Trust) -> None:
    sealing, agreeing = ({each.public_key for each in mine} for mine in (trust.grants, trust.cosigners))
    for key in sorted(sealing | agreeing):
        try:
            PublicKey.from_hex(key)
        except ValueError as wrong:
            raise Refused(Reason.MALFORMED, f"{key[:16]}: {wrong}") from None
    if both := sealing & agreeing:
        raise Refused(Reason.MALFORMED, f"{min(both)[:16]} may both seal and cosign")
