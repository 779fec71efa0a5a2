"""The lock-up: every private key that the station holds, locked with one passphrase or left plain, all or none.

- All is drawn before anything is written: what cannot be opened changes nothing.
- When a file cannot be written, those before it get back what they had, and the sentence says so. Cut off by a power
  failure, some are locked and some not yet: each is read as it is, and the same act finishes.
- What others hold is not here: second people's keys have passphrases of their own, a certificate that somebody else
  signed (`web_key`) and a database's password lie where the settings say.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from controller import safe as safes
from controller.durable import flush_folder, replace
from controller.keyring import NEXT, ROOT, STATION, Keyring, KeyTrouble
from controller.safe import KINDS, LOCK
from controller.settings import Settings
from wire import closed

SEALING = {"station": (STATION, NEXT), "root": (ROOT,)}  # kinds in the keyring's own format
ALL = (*SEALING, *KINDS)
# for the audit log: begun, done, failed
LOCKING = ("began to lock keys", "locked keys", "failed to lock keys")
UNLOCKING = ("began to unlock keys", "unlocked keys", "failed to unlock keys")


@dataclass(frozen=True)
class Change:
    """A file, what is in it, and what is to be; None: no file."""

    path: Path
    before: bytes | None
    after: bytes | None


class NotAll(KeyTrouble):
    """Not every file could be written. ``undone``: those before it are as they were; ``failed``: which could not."""

    def __init__(self, failed: Path, why: object, left: Sequence[Path]) -> None:
        key = "keys.half_locked" if left else "keys.not_locked"
        super().__init__(key, path=failed, why=why, left=", ".join(map(str, left)))
        self.failed, self.left = failed, left


def files(settings: Settings, kinds: Iterable[str] = ALL) -> list[Path]:
    """The key files of those kinds that lie here, in the order in which they are locked."""
    folders = (settings.keys_dir, settings.broker_dir, settings.web_dir)
    names = [f"{name}.key" for kind in kinds for name in SEALING.get(kind, ())]
    found = [settings.keys_dir / name for name in names]
    for kind in kinds:
        for folder in folders:
            for pattern in KINDS.get(kind, ()):
                found += sorted(folder.glob(pattern))
    return [path for path in found if path.is_file()]


def locked_kinds(ring: Keyring) -> tuple[str, ...]:
    """What is locked now. Raises KeyTrouble."""
    held = ring.safe.lock()
    sealing = [kind for kind, names in SEALING.items() if any(map(ring.is_locked, names))]
    return (*sealing, *(held.kinds if held else ()))


def locking(ring: Keyring, settings: Settings, passphrase: str, kinds: Sequence[str]) -> list[Change]:
    """What locks every key of ``kinds``, and what is locked already, with ``passphrase``. Raises KeyTrouble.

    Nothing is written.
    """
    also = locked_kinds(ring)  # one station has one passphrase
    kinds = tuple(each for each in ALL if each in kinds or each in also)
    lock, key = safes.new_lock(tuple(each for each in KINDS if each in kinds), passphrase)
    changes = _of_keyring(ring, passphrase, kinds)
    for path in files(settings, [each for each in kinds if each in KINDS]):
        content = ring.safe.read(path) or b""
        changes.append(Change(path, safes.content_of(path), ring.safe.close(path, content, key)))
    if not changes:
        raise KeyTrouble("keys.missing", path=ring.path(STATION))
    marker = settings.keys_dir / LOCK
    return [*changes, Change(marker, safes.content_of(marker), lock)] if set(kinds) & set(KINDS) else changes


def unlocking(ring: Keyring, settings: Settings, kinds: Sequence[str]) -> list[Change]:
    """What leaves every key of ``kinds`` plain. Raises KeyTrouble; nothing is written."""
    changes = _of_keyring(ring, None, kinds)
    for path in files(settings, [each for each in kinds if each in KINDS]):
        held = safes.content_of(path)
        if held is not None and closed.is_closed(held):
            changes.append(Change(path, held, ring.safe.read(path)))
    lock, marker = ring.safe.lock(), settings.keys_dir / LOCK
    if lock is not None:
        rest = tuple(each for each in lock.kinds if each not in kinds)
        content = safes.lock_content(rest, ring.safe.key()) if rest else None
        changes.append(Change(marker, safes.content_of(marker), content))
    if not changes:
        raise KeyTrouble("keys.missing", path=ring.path(STATION))
    return changes


def carry_out(changes: Sequence[Change]) -> None:
    """Write all of it, or leave all as it was. Raises NotAll."""
    for place, each in enumerate(changes):
        try:
            _put(each.path, each.after)
        except OSError as wrong:
            left = [done.path for done in reversed(changes[:place]) if not _undone(done)]
            raise NotAll(each.path, wrong.strerror or wrong, left) from wrong


def _of_keyring(ring: Keyring, passphrase: str | None, kinds: Iterable[str]) -> list[Change]:
    changes = []
    for name in (name for kind in kinds for name in SEALING.get(kind, ())):
        after = ring.rewritten(name, passphrase)
        if after is not None:
            changes.append(Change(ring.path(name), safes.content_of(ring.path(name)), after))
    return changes


def _undone(done: Change) -> bool:
    with suppress(OSError):
        _put(done.path, done.before)
        return True
    return False


def _put(path: Path, content: bytes | None) -> None:
    if content is not None:
        replace(path, content)
    elif path.exists():
        path.unlink()
        flush_folder(path.parent)
