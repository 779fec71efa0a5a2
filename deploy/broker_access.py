"""The broker's access rules, from the station's roster: `broker_access.py --config FILE > /etc/loa/broker-access`."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from controller.roster import areas_of
from controller.settings import load
from controller.store import Store
from wire import topics


def main() -> None:
    """Write the rules to standard output. The station's user is the setting `broker_user`."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--config", type=Path, required=True)
    settings = load(arguments.parse_args().config)
    store = Store(settings.store_url)
    nodes = [(node.id, areas_of(node)) for node in store.roster.nodes()]
    sys.stdout.write(topics.access_rules(settings.broker_user or "station", nodes))
    store.close()


if __name__ == "__main__":
    main()
