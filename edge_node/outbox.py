"""The outbox: receipts leave as sealed batches until the station has stored them.

- Up to `WINDOW` batches are under way; they go again on a new connection, and after a time without an answer,
  which doubles up to `LONGEST_SECONDS`. An answer that stands still says that something before is missing: they go
  again at once, the first time.
- An acknowledgement beyond what was ever numbered, or of another stream, is ignored.
- It keeps nothing itself: the ledger does.
"""

from __future__ import annotations

import logging

from edge_node.ledger import Ledger
from wire import codec, seal, topics
from wire.link import Link
from wire.receipt import MAX_BATCH, Ack, Receipt, Receipts
from wire.seal import Signer

log = logging.getLogger("loa.node.outbox")

WINDOW = 5
FIRST_SECONDS = 10.0
LONGEST_SECONDS = 300.0


class Outbox:
    """Sends what ``ledger`` has, sealed with the node's own key."""

    def __init__(self, node: str, ledger: Ledger, signer: Signer) -> None:
        self._node, self._ledger, self._signer = node, ledger, signer
        self._topic = topics.RECEIPTS.topic(node=node)
        self._stream = ledger.stream
        self._acked = self._sent = 0
        self._under_way = 0
        self._wait = FIRST_SECONDS
        self._again_at: float | None = None
        self._connections = -1
        self._answered: Ack | None = None  # the last one; a retained one comes again on every connection
        self._hurried = False

    def send(self, link: Link, mono: float) -> int:
        """Hand to the link what is due; how many batches. ``mono``: monotonic seconds."""
        if not link.connected():
            return 0
        if self._ledger.stream != self._stream:  # the ledger has left a disk that refuses: another numbering
            self._stream, self._acked = self._ledger.stream, 0
            self._start_over(FIRST_SECONDS)
        if link.connections() != self._connections:
            self._connections = link.connections()
            self._start_over(FIRST_SECONDS)
        elif self._again_at is not None and mono >= self._again_at:
            log.info("receipts_again from=%d wait_seconds=%.0f", self._acked + 1, self._wait)
            self._start_over(min(2 * self._wait, LONGEST_SECONDS))
        sent = 0
        while self._under_way < WINDOW and self._send_one(link):
            sent += 1
        if sent:
            self._again_at = mono + self._wait
        return sent

    def take(self, ack: Ack) -> bool:
        """The station's word on what it has stored; False when it is none of ours."""
        if ack.stream != self._ledger.stream or ack.upto > self._ledger.last_number():
            log.warning("ack_ignored stream=%s upto=%d", ack.stream, ack.upto)
            return False
        if ack.upto > self._acked:
            self._ledger.forget(ack.upto)
            self._acked = ack.upto
            self._under_way = max(0, self._under_way - 1)
            self._wait, self._hurried = FIRST_SECONDS, False
            if self._sent <= self._acked:
                self._sent, self._under_way, self._again_at = self._acked, 0, None
        elif ack.upto == self._acked < self._sent and ack != self._answered and not self._hurried:
            self._start_over(self._wait)
            self._hurried = True
        self._answered = ack
        return True

    def _start_over(self, wait: float) -> None:
        self._sent, self._under_way, self._wait, self._again_at = self._acked, 0, wait, None

    def _send_one(self, link: Link) -> bool:
        receipts = self._ledger.receipts_after(self._sent, MAX_BATCH)
        while receipts:
            raw = self._sealed(receipts)
            if len(raw) <= topics.RECEIPTS.most_bytes:
                break
            receipts = receipts[: len(receipts) // 2]
        if not receipts or not link.publish(self._topic, raw, retain=False, qos=topics.RECEIPTS.qos):
            return False
        self._sent = receipts[-1].number
        self._under_way += 1
        return True

    def _sealed(self, receipts: list[Receipt]) -> bytes:
        forgotten = self._ledger.first_number() - 1
        batch = Receipts(self._node, self._ledger.stream, tuple(receipts), forgotten)
        return seal.seal(topics.RECEIPTS.name, codec.write(batch), self._signer)
