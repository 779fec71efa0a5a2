"""The round: every room is asked, in the order in which somebody would mend it."""

from __future__ import annotations

from edge_node.checkup import machine, network, sound, trust
from edge_node.checkup.finding import Finding
from edge_node.programs import Run, run
from edge_node.settings import Settings
from edge_node.vitals import Senses
from edge_node.wallclock import Wallclock


def examine(settings: Settings, ask: Run = run) -> list[Finding]:
    """Everything that can be said of this node now. Takes up to half a minute where the network does not answer."""
    clock = Wallclock(settings.state_dir / "clock", trusted=settings.clock == "trust")
    read = Senses(settings.state_dir, run=ask, wiring=settings.wiring).read(clock.known(), None, None)
    believed = trust.read(settings, clock)
    return [
        *machine.clock(settings, clock, read),
        *machine.disk(settings, read),
        *machine.life(settings, ask),
        *machine.power(read),
        *machine.lines(settings, read, ask),
        *trust.judge(settings, believed, clock),
        *network.broker(settings),
        *network.media(believed.config, believed.assets),
        *network.modem(read),
        *sound.player(settings, ask),
        *sound.programs(settings),
        *sound.shelf(settings, believed.config),
    ]
