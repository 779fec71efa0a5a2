"""The second seal of a wide emergency, as the node checks it. Pure.

- The trust document says for how few slugs of an area's path a second person must agree, and who may.
- A group is as wide as what its name and this node's home have in common: whoever may write a config puts nodes of
  many communes into one group, whatever it is called.
- What the second person signed is the job itself; the node makes the statement anew from the job that it got.
"""

from __future__ import annotations

from edge_node.contents import Moment, Refused
from edge_node.settings import CLOCK_SLACK
from wire import cosigned, names
from wire.errors import Reason
from wire.plan import BulletinClass, Job, Plan
from wire.seal import PublicKey
from wire.trust import Cosigner, Grant, Trust


def check(plan: Plan, trust: Trust, grant: Grant, where: tuple[str, str], moment: Moment) -> None:
    """Raises Refused when an emergency of ``plan`` is wide and nobody but ``grant``'s holder agreed.

    ``where``: whom the plan is for, and where this node hangs.
    """
    owner, home = where
    if cosigned.width(cosigned.span(owner, [home])) >= trust.cosign_below:
        return
    at = plan.issued_at if moment.restoring else moment.now
    others = [each for each in trust.cosigners if _counts(each, grant, owner)]
    keys = [
        PublicKey.from_hex(each.public_key)
        for each in others
        if at <= each.until and not (moment.clock_known and at < each.not_before - CLOCK_SLACK)
    ]
    known = {str(key.id): key for key in keys}
    for job in plan.jobs:
        if job.bulletin_class is BulletinClass.EMERGENCY and not _agreed(job, plan.area, known):
            raise Refused(Reason.NOT_COSIGNED, f"job {job.id} for {plan.area} lacks a second person's seal")


def _agreed(job: Job, area: str, keys: dict[str, PublicKey]) -> bool:
    named = job.cosigned is not None and area in job.cosigned.areas
    return named and job.relay is None and bool(cosigned.cosigners(job, keys))


def _counts(cosigner: Cosigner, grant: Grant, owner: str) -> bool:
    """Whether it is another's key, for this area."""
    same = cosigner.public_key == grant.public_key or cosigner.holder.casefold() == grant.label.casefold()
    return not same and any(names.lies_within(owner, each) for each in cosigner.areas)
