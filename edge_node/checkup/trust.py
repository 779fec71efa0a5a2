"""What the station has sealed for this node, as it lies on the disk: trust, config, plans. The gate judges it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from edge_node.checkup.finding import Finding, well, wrong
from edge_node.gate import Gate
from edge_node.held import Held
from edge_node.settings import Settings
from edge_node.wallclock import Wallclock
from schedules import moments
from wire import names, topics
from wire.config import NodeConfig
from wire.errors import Refusal
from wire.plan import Asset, Plan
from wire.trust import Trust

SOON = timedelta(days=30)  # a trust document that ends within this is to be renewed
OLD = timedelta(days=2)  # without a plan newer than this


@dataclass
class Believed:
    """What the node would obey if it started now."""

    trust: Trust | None = None
    config: NodeConfig | None = None
    plans: list[Plan] = field(default_factory=list)
    refused: list[Refusal] = field(default_factory=list)

    @property
    def assets(self) -> list[Asset]:
        """The audio of everything planned, the siren first."""
        standby = list(self.config.standby) if self.config else []
        siren = [each for each in standby if self.config and each.sha256 == self.config.siren]
        planned = [job.asset for plan in self.plans for job in plan.jobs if job.asset]
        return [*siren, *standby, *planned]


def read(settings: Settings, clock: Wallclock) -> Believed:
    """What lies on the disk, through the gate; nothing is removed."""
    gate, believed = Gate(settings.node, settings.home, settings.roots), Believed()
    for topic, raw in Held(settings.state_dir / "held").load():
        verdict = gate.admit(topic, raw, clock.now(), clock_known=clock.known(), restoring=True)
        believed.refused += [verdict] if isinstance(verdict, Refusal) else []
    believed.trust, believed.config, believed.plans = gate.trust, gate.config, gate.plans()
    return believed


def judge(settings: Settings, believed: Believed, clock: Wallclock) -> Iterator[Finding]:
    """Whether root key, grants, config and plans fit together and are of today."""
    now = clock.now()
    yield from _trust(settings, believed, now)
    if believed.trust and believed.config is None:
        yield wrong("node.check_config_none", node=settings.node)
    elif believed.config:
        yield well("node.check_config", serial=believed.config.serial, areas=", ".join(believed.config.areas))
    if believed.config:
        yield from _plans(believed, now)
    for refused in believed.refused:
        if refused.where != topics.TRUST.topic():
            yield wrong("node.check_held_refused", topic=refused.where, reason=refused.reason.value)


def _trust(settings: Settings, believed: Believed, now: datetime) -> Iterator[Finding]:
    trust = believed.trust
    if trust is None:
        strange = any(each.where == topics.TRUST.topic() for each in believed.refused)
        yield wrong("node.check_trust_strange" if strange else "node.check_trust_none")
        return
    mine = [
        grant
        for grant in trust.grants
        if now <= grant.until and any(names.lies_within(settings.home, owner) for owner in grant.areas)
    ]
    if trust.valid_until < now:
        yield wrong("node.check_trust_over", until=_day(trust.valid_until))
    elif not mine:
        yield wrong("node.check_trust_elsewhere", home=settings.home)
    else:
        until = min(trust.valid_until, max(grant.until for grant in mine))
        soon = until - now < SOON
        yield (wrong if soon else well)(
            "node.check_trust_soon" if soon else "node.check_trust", until=_day(until), serial=trust.serial
        )


def _plans(believed: Believed, now: datetime) -> Iterator[Finding]:
    if not believed.plans:
        yield wrong("node.check_plan_none")
        return
    newest = max(plan.issued_at for plan in believed.plans)
    over = [plan for plan in believed.plans if plan.valid_until < now]
    jobs = sum(job.start > now for plan in believed.plans for job in plan.jobs)
    if over:
        yield wrong("node.check_plan_over", area=over[0].area, until=_day(min(plan.valid_until for plan in over)))
    elif now - newest > OLD:
        yield wrong("node.check_plan_old", issued=_day(newest))
    else:
        yield well("node.check_plan", issued=_day(newest), jobs=jobs)


def _day(moment: datetime) -> str:
    return f"{moments.local(moment, moments.DEFAULT_ZONE):%H:%M %d/%m/%Y}"
