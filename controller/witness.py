"""The witness of the audit log: seals now and then what its lines are, and finds what was done to them since.

- A checkpoint says under the station's seal: the log had so many lines, and this was the hash of all of them. It is
  kept in the store and, so that a store put back or rewritten is noticed, in a file beside it.
- A power cut may leave the last line of the file unfinished. It is nobody's word: it is told, but is no fault, and the
  next checkpoint, which vouches for all that it would have vouched for, takes its place. A line that can still be read
  whole counts, with its end or without.
- `examine` reads a log, from the store or from an export, and says everything that is wrong with it.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

import msgspec

from controller import durable
from controller.store import Store
from controller.store.audit import Checkpoint
from controller.store.chain import BEFORE_ALL, Link, link_of
from controller.trustbook import held_trust
from wire import codec, seal
from wire.seal import PublicKey, Sealer
from words import Said

log = logging.getLogger("loa.witness")

KIND = "audit"
FILE = "audit-checkpoints"  # in the station's folder: one envelope a line
MOST_ENVELOPE_BYTES = 4096
MOST_FILE_BYTES = 256 * 1024 * 1024
MOST_FAULTS = 50  # told of one log; there may be more
_BLOCK_BYTES = 64 * 1024


class AuditTrouble(Said):
    """What cannot be examined."""


class Witnessed(msgspec.Struct, frozen=True):
    """What a checkpoint seals: the log's first ``number`` lines have, together, this hash."""

    number: int
    hash: str
    at: datetime


@dataclass(frozen=True)
class Aside:
    """What lies in a file of checkpoints: those that were written whole, and what is to be told of the file besides."""

    envelopes: list[bytes] = field(default_factory=list)
    remarks: list[Said] = field(default_factory=list)

    def and_also(self, other: Aside) -> Aside:
        """Both together."""
        return Aside(self.envelopes + other.envelopes, self.remarks + other.remarks)


@dataclass
class Finding:
    """What an examination found. ``faults`` is empty for a log in which nothing was changed, lost or moved."""

    lines: int = 0
    sealed_upto: int = 0  # the last line that a true checkpoint vouches for
    faults: list[Said] = field(default_factory=list)
    remarks: list[Said] = field(default_factory=list)  # worth a sentence, and nobody's deed

    def fault(self, key: str, **facts: object) -> None:
        """One thing more that is wrong, while there is room."""
        if len(self.faults) < MOST_FAULTS:
            self.faults.append(AuditTrouble(key, **facts))


def testify(store: Store, signer: Sealer, folder: Path, now: datetime) -> Checkpoint | None:
    """Seal the log as it stands, when it has grown since the last time. Raises StoreError, OSError."""
    number, newest = store.acts.head()
    last = store.acts.newest_checkpoint()
    if number == 0 or (last is not None and last.number >= number):
        return None
    made = Checkpoint(number, seal.seal(KIND, codec.write(Witnessed(number, newest, now)), signer), now)
    _keep_aside(folder / FILE, made.envelope)
    store.acts.witness(made)
    return made


def known_keys(store: Store) -> dict[str, PublicKey]:
    """Every key that the trust document names, by id: whose checkpoints count."""
    trust = held_trust(store)
    keys = (PublicKey.from_hex(each.public_key) for each in (trust.grants if trust else ()))
    return {key.id: key for key in keys}


def kept_aside(folder: Path) -> Aside:
    """What the file beside the store holds; nothing where there is no file. Raises AuditTrouble."""
    path = folder / FILE
    return kept_in(path) if path.exists() else Aside()


def kept_in(path: Path) -> Aside:
    """What a file holds, such as a copy on a stick. Raises AuditTrouble."""
    try:
        if path.stat().st_size > MOST_FILE_BYTES:
            raise AuditTrouble("audit.file_too_large", path=path)
        content = path.read_bytes()
    except OSError as wrong:
        raise AuditTrouble("audit.unreadable", path=path, why=wrong.strerror or wrong) from wrong
    lines = content.splitlines()
    if content.endswith((b"\n", b"\r")) or not lines or _is_whole(lines[-1]):
        return Aside(lines)
    return Aside(lines[:-1], [AuditTrouble("audit.unfinished", path=path)])


def examine_store(store: Store, envelopes: Iterable[bytes], keys: Mapping[str, PublicKey]) -> Finding:
    """The store's log against its head, its own checkpoints and those in ``envelopes``. Raises StoreError."""
    head = store.acts.head()
    own = [each.envelope for each in store.acts.checkpoints()]
    found = examine(store.acts.links(), [*own, *(each for each in envelopes if each not in set(own))], keys)
    if head[0] > found.lines:
        found.fault("audit.cut_off", last=found.lines, known=head[0])
    if outside := store.acts.unnumbered():
        found.fault("audit.outside", lines=outside)
    return found


def examine(links: Iterable[Link], envelopes: Iterable[bytes], keys: Mapping[str, PublicKey]) -> Finding:
    """The lines of a log, in their order, against one another and against every checkpoint.

    ``keys``: by id, whose seals count. A line is believed to have the hash that stands with it once the fault is
    told, so that one changed line is one fault.
    """
    found = Finding()
    witnessed = _opened(envelopes, keys, found)
    before, expected = BEFORE_ALL, 1
    for link in links:
        if link.number != expected:
            found.fault("audit.missing", first=expected, last=link.number - 1)
        elif link_of(before, link.number, link.act) != link.hash:
            found.fault("audit.changed", number=link.number)
        before, expected = link.hash, link.number + 1
        for each in witnessed.pop(link.number, []):
            if each.hash == link.hash:
                found.sealed_upto = max(found.sealed_upto, link.number)
            else:
                found.fault("audit.rewritten", number=link.number, at=each.at)
    found.lines = expected - 1
    if witnessed:
        found.fault("audit.cut_off", last=found.lines, known=max(witnessed))
    return found


def _opened(envelopes: Iterable[bytes], keys: Mapping[str, PublicKey], found: Finding) -> dict[int, list[Witnessed]]:
    """What true checkpoints say, by line; what is none is a fault."""
    said: dict[int, list[Witnessed]] = {}
    for raw in envelopes:
        try:
            envelope = seal.unwrap(raw, MOST_ENVELOPE_BYTES)
            true = seal.is_kind(envelope, KIND) and bool(seal.sealed_by(envelope, keys))
            witnessed = codec.read(Witnessed, envelope.body(), MOST_ENVELOPE_BYTES)
        except (codec.Malformed, codec.TooBig):
            found.fault("audit.no_checkpoint")
            continue
        if true:
            said.setdefault(witnessed.number, []).append(witnessed)
        else:
            found.fault("audit.unknown_seal", number=witnessed.number)
    return said


def _is_whole(line: bytes) -> bool:
    """Whether it is an envelope from its first byte to its last, whoever sealed it."""
    try:
        seal.unwrap(line, MOST_ENVELOPE_BYTES)
    except (codec.Malformed, codec.TooBig):
        return False
    return True


def _keep_aside(path: Path, envelope: bytes) -> None:
    """One line more, on the disk when this returns, and on a line of its own. Raises OSError."""
    is_new = not path.exists()
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
    try:
        _end_last_line(descriptor, path)
        _write_all(descriptor, envelope + b"\n")
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    if is_new:
        durable.flush_folder(path.parent)


def _end_last_line(descriptor: int, path: Path) -> None:
    """End a last line that only lacks its end; cut away one that was never finished."""
    size = os.fstat(descriptor).st_size
    whole = _whole_bytes(descriptor, size)
    if whole == size:
        return
    if _is_whole(os.pread(descriptor, MOST_ENVELOPE_BYTES + 1, whole)):
        _write_all(descriptor, b"\n")
        return
    log.warning("checkpoint_unfinished path=%s bytes=%d", path, size - whole)
    os.ftruncate(descriptor, whole)


def _whole_bytes(descriptor: int, size: int) -> int:
    """How much of the file is whole lines, looked for from its end."""
    end = size
    while end:
        begin = max(0, end - _BLOCK_BYTES)
        found = os.pread(descriptor, end - begin, begin).rfind(b"\n")
        if found >= 0:
            return begin + found + 1
        end = begin
    return 0


def _write_all(descriptor: int, content: bytes) -> None:
    """All of it: a write may take less than it is given."""
    while content:
        content = content[os.write(descriptor, content) :]
