"""The outbox: nothing is forgotten before the station has it, nothing is sent for ever."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from makers_node import NODE, T0, after, make_job

from edge_node.ledger import Ledger, Word
from edge_node.outbox import FIRST_SECONDS, WINDOW, Outbox
from wire import codec, seal
from wire.loopback import Loopback
from wire.receipt import MAX_BATCH, Ack, Receipts, Step
from wire.seal import Signer
from wire.topics import RECEIPTS

SIGNER = Signer.generate()


class Post:
    """A node's outbox and the station's end of it."""

    def __init__(self, folder: Path) -> None:
        self.ledger = Ledger(folder / "ledger.sqlite")
        self.outbox = Outbox(NODE, self.ledger, SIGNER)
        self.broker = Loopback()
        self.link, self.station = self.broker.link(NODE), self.broker.link("station")
        self.station.listen([(RECEIPTS.filter(), 1)])
        self.station.start()
        self.link.start()
        self.mono = 0.0
        self.forgotten = 0

    def fill(self, count: int, detail: str = "") -> None:
        for number in range(count):
            self.ledger.accept(make_job(f"b{number}"), T0)
            self.ledger.end(f"b{number}", Step.SOUNDED, T0, Word(detail=detail))

    def send(self, later: float = 0.0) -> list[list[int]]:
        """The numbers in each batch that arrived."""
        self.mono += later
        self.outbox.send(self.link, self.mono)
        batches = []
        for message in self.station.take(0):
            assert len(message.payload) <= RECEIPTS.most_bytes
            envelope = seal.unwrap(message.payload, RECEIPTS.most_bytes)
            assert seal.sealed_by(envelope, {SIGNER.public.id: SIGNER.public})
            batch = codec.read(Receipts, envelope.body(), RECEIPTS.most_bytes)
            batches.append([receipt.number for receipt in batch.receipts])
            self.forgotten = batch.forgotten
        return batches

    def ack(self, upto: int, stream: str = "", later: float = 0.0) -> bool:
        return self.outbox.take(Ack(NODE, stream or self.ledger.stream, upto, after(later)))


@pytest.fixture
def post(tmp_path: Path) -> Iterator[Post]:
    post = Post(tmp_path)
    yield post
    post.ledger.close()


def test_receipts_are_sent_once_and_forgotten_when_acknowledged(post: Post) -> None:
    post.fill(2)
    assert post.send() == [[1, 2, 3, 4]]
    assert post.send(1) == []
    post.ack(4)
    assert post.ledger.waiting() == 0
    assert post.send(10_000) == []


def test_receipts_go_again_after_a_time_without_an_answer_that_doubles(post: Post) -> None:
    post.fill(1)
    post.send()
    assert post.send(FIRST_SECONDS - 1) == []
    assert post.send(1) == [[1, 2]]
    assert post.send(FIRST_SECONDS) == []
    assert post.send(FIRST_SECONDS) == [[1, 2]]


def test_what_the_station_lacks_before_a_later_batch_goes_again_at_once_but_once(post: Post) -> None:
    post.fill(1)
    post.ack(0)
    post.send()  # lost: the station was not there
    post.fill(2)
    assert post.send() == [[3, 4]]
    post.ack(0, later=1)
    assert post.send() == [[1, 2, 3, 4]]
    post.ack(0, later=2)  # it wants them no more than before
    assert post.send() == []
    post.ack(4, later=3)
    post.fill(3)
    assert post.send() == [[5, 6]]
    post.ack(4, later=4)
    assert post.send() == [[5, 6]]


def test_a_retained_answer_that_comes_again_hurries_nobody(post: Post) -> None:
    post.fill(1)
    post.send()
    post.ack(2)
    post.fill(2)
    assert post.send() == [[3, 4]]
    post.ack(2)
    assert post.send() == []


def test_receipts_go_again_on_a_new_connection(post: Post) -> None:
    post.fill(1)
    post.send()
    post.broker.down()
    assert post.send(1000) == []
    post.broker.up()
    assert post.send() == [[1, 2]]


def test_a_batch_says_up_to_where_the_node_keeps_nothing_also_after_a_restart(post: Post) -> None:
    post.fill(2)
    post.send()
    assert post.forgotten == 0
    post.ack(3)
    post.outbox = Outbox(NODE, post.ledger, SIGNER)
    assert post.send() == [[4]]
    assert post.forgotten == 3
    post.ack(4)
    post.fill(3)  # the first two are known
    assert post.send() == [[5, 6]]
    assert post.forgotten == 4


def test_what_is_under_way_is_limited(post: Post) -> None:
    post.fill(MAX_BATCH)
    for number in range(MAX_BATCH, MAX_BATCH * 4):
        post.ledger.accept(make_job(f"b{number}"), T0)
    sent = post.send()
    assert [len(batch) for batch in sent] == [MAX_BATCH] * WINDOW
    assert [number for batch in sent for number in batch] == list(range(1, MAX_BATCH * WINDOW + 1))


def test_a_batch_never_exceeds_what_its_topic_allows(post: Post) -> None:
    with post.ledger.together():
        post.fill(MAX_BATCH, detail="ế" * 300)
    numbers = [number for batch in post.send() for number in batch]
    assert numbers == list(range(1, 2 * MAX_BATCH + 1))


def test_acknowledgements_of_other_streams_and_of_what_was_never_numbered_are_ignored(post: Post) -> None:
    post.fill(1)
    assert not post.ack(2, stream="other")
    assert not post.ack(3)
    assert post.ledger.waiting() == 2
    assert post.ack(1)
    assert post.ledger.waiting() == 1
    assert post.ack(0)
    assert post.ledger.waiting() == 1
