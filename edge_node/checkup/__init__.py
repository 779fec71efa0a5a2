"""The check-up: what an installer under the pole is told, one sentence for everything that can be wrong.

- `examine` asks every room; `finding` is what it answers with. Nothing here raises, nothing here sounds.
- `machine` is the computer and its disk, `trust` what the station has sealed, `network` broker and media server,
  `sound` whatever makes the horn speak.
- Every sentence about something wrong says what to do.
"""

from edge_node.checkup.examine import examine
from edge_node.checkup.finding import Finding

__all__ = ["Finding", "examine"]
