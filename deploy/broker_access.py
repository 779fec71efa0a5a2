"""The broker's access rules, from the roster: `broker_access.py --config FILE [--broker nats] > /etc/loa/access`."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from controller.roster import areas_of
from controller.settings import load
from controller.store import Store
from wire import nats_access, topics


def main() -> None:
    """Write the rules to standard output. The station's user is the setting `broker_user`."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--config", type=Path, required=True)
    arguments.add_argument("--broker", choices=("mosquitto", "nats"), default="mosquitto")
    wanted = arguments.parse_args()
    settings = load(wanted.config)
    store = Store(settings.store_url)
    known = store.roster.nodes()
    nodes = [(node.id, areas_of(node)) for node in known if node.revoked_at is None]
    station = settings.broker_user or "station"
    if wanted.broker == "nats":
        sys.stdout.write(nats_access.rules(station, nodes))
    else:
        revoked = [node.id for node in known if node.revoked_at is not None]
        sys.stdout.write(topics.access_rules(station, nodes, revoked))
    store.close()


if __name__ == "__main__":
    main()
