"""The folder of keys: files that are written once, mode 0600, plain or locked with a passphrase; and a token's slot.

- A key file is never overwritten, but replaced whole by `lock`, `unlock` and `promote`. One that was restored with
  wider modes is narrowed when it is read.
- A locked file tells its public half; the private one is opened when it is to seal, by systemd's credential or by a
  person at the terminal.
- ``roots.json`` holds which roots are in force, ``root.pub`` the one root of a station that never had several.
"""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import Annotated

import msgspec
from msgspec import Meta

from controller import locked, passphrases
from controller.durable import flush_folder, replace, write_once
from controller.safe import Ask, KeyTrouble, Safe
from controller.settings import Settings
from controller.token import Slot, TokenSigner
from wire import codec
from wire.roots import MOST_ROOTS, RootSet
from wire.seal import PublicKey, Sealer, Signer
from wire.trust import Hex32

__all__ = ["COSIGNERS", "NEXT", "ROOT", "ROOT_PUBLIC", "STATION", "KeyTrouble", "Keyring", "of"]

ROOT, STATION, NEXT = "root", "station", "station-next"
ROOT_PUBLIC, ROOTS = "root.pub", "roots.json"
COSIGNERS = "cosigners"  # a folder below
MOST_FILE_BYTES = 2048

_opened: dict[bytes, Signer] = {}  # locked files that this process has opened, by their content


class Pinned(msgspec.Struct, frozen=True):
    """Roots in a file."""

    keys: Annotated[tuple[Hex32, ...], Meta(min_length=1, max_length=MOST_ROOTS)]
    threshold: int = 1
    version: int = 0


class Keyring:
    """The folder ``folder``, made when the first key is. ``token``: the URI of the station's key, empty: a file."""

    def __init__(self, folder: Path, token: str = "", ask: Ask | None = None) -> None:
        self.folder, self.token = folder, token
        self.safe = Safe(folder, ask)  # for every other kind of key
        self.ask = ask or passphrases.asked
        self._slot: TokenSigner | None = None

    def find(self, name: str) -> Sealer | None:
        """The key of that name, None where it does not lie here. Raises KeyTrouble, TokenTrouble."""
        if name == STATION and self.token:
            self._slot = self._slot or TokenSigner(Slot.read(self.token))
            return self._slot
        return self.file(name)

    def file(self, name: str) -> Signer | None:
        """The key in the file of that name, opened when it is locked; None where there is none. Raises KeyTrouble."""
        path, held = self.path(name), self._read(name)
        if held is None:
            return None
        if locked.is_locked(held):
            return self._open(path, held)
        try:
            return Signer(bytes.fromhex(held.decode("ascii", "replace").strip()))
        except ValueError:
            raise KeyTrouble("keys.not_a_key", path=path) from None

    def public(self, name: str) -> PublicKey | None:
        """The public half of the key of that name, without opening it where it is locked. Raises as `find`."""
        held = None if name == STATION and self.token else self._read(name)
        if held is None or not locked.is_locked(held):
            found = self.find(name)
            return found.public if found else None
        try:
            return PublicKey.from_hex(locked.read(held).public_key)
        except ValueError:
            raise KeyTrouble("keys.not_a_key", path=self.path(name)) from None

    def is_locked(self, name: str) -> bool:
        """Whether the file of that name is there and locked. Raises KeyTrouble."""
        held = self._read(name)
        return held is not None and locked.is_locked(held)

    def station(self) -> Sealer:
        """The station's key. Raises KeyTrouble ``keys.missing``."""
        signer = self.find(STATION)
        if signer is None:
            raise KeyTrouble("keys.missing", path=self.path(STATION))
        return signer

    def root(self) -> PublicKey | None:
        """The public key of the only root: noted when the private one was here. None for none, or several."""
        pinned = self.roots()
        return pinned.keys[0] if pinned and len(pinned.keys) == 1 else None

    def roots(self) -> RootSet | None:
        """The roots in force, None where nobody has noted any. Raises KeyTrouble for a file that is none."""
        path = self.folder / ROOTS
        try:
            kept = codec.read(Pinned, path.read_bytes(), MOST_FILE_BYTES)
            return RootSet.of(kept.keys, kept.threshold, kept.version)
        except FileNotFoundError:
            pass
        except OSError as wrong:
            raise KeyTrouble("keys.unreadable", path=path, why=wrong.strerror or wrong) from wrong
        except ValueError:
            raise KeyTrouble("keys.not_a_key", path=path) from None
        held = self.public(ROOT)
        if held is not None:
            return RootSet((held,))
        try:
            return RootSet.of([(self.folder / ROOT_PUBLIC).read_text("ascii").strip()])
        except (OSError, ValueError):
            return None

    def note_roots(self, known: RootSet) -> None:
        """Keep which roots are in force, whatever becomes of the private ones. Raises KeyTrouble."""
        path = self.folder / ROOTS
        try:
            self._make_folder()
            if known == RootSet(known.keys[:1]):
                with suppress(FileExistsError):
                    write_once(self.folder / ROOT_PUBLIC, known.keys[0].hex.encode() + b"\n")
            else:
                replace(path, codec.write(Pinned(known.hexes, known.threshold, known.version)) + b"\n")
        except OSError as wrong:
            raise KeyTrouble("keys.unwritable", path=path, why=wrong.strerror or wrong) from wrong

    def make(self, name: str) -> Signer:
        """The key in the file of that name, made when there is none. Raises KeyTrouble."""
        held = self.file(name)
        return held if held is not None else self.keep(name, Signer.generate())

    def make_like(self, name: str, like: str) -> PublicKey:
        """The public half of `make`'s key; it is locked as the key ``like`` is. Raises KeyTrouble."""
        held = self.public(name)
        if held is None and self.is_locked(like):
            passphrase = self._passphrase(self.path(like), self._read(like) or b"")
            return self.keep(name, Signer.generate(), passphrase).public
        return held or self.make(name).public

    def keep(self, name: str, signer: Signer, passphrase: str | None = None) -> Signer:
        """Write ``signer`` down, locked where there is a passphrase; gives what lies there. Raises KeyTrouble."""
        try:
            self._make_folder()
            write_once(self.path(name), _content(signer, passphrase))
        except FileExistsError as wrong:  # somebody made it in this moment
            held = self.file(name)
            if held is None:
                raise KeyTrouble("keys.unwritable", path=self.path(name), why=wrong.strerror or wrong) from wrong
            return held
        except OSError as wrong:
            raise KeyTrouble("keys.unwritable", path=self.path(name), why=wrong.strerror or wrong) from wrong
        return signer

    def rewritten(self, name: str, passphrase: str | None) -> bytes | None:
        """What the file holds once it is locked with ``passphrase``, or plain; None: no file. Raises KeyTrouble."""
        signer = self.file(name)
        return None if signer is None else _content(signer, passphrase)

    def promote(self, name: str, to: str) -> None:
        """The key ``name`` takes the place of the key ``to``, which is gone. Raises KeyTrouble."""
        try:
            self.path(name).replace(self.path(to))
            flush_folder(self.folder)
        except OSError as wrong:
            raise KeyTrouble("keys.unwritable", path=self.path(to), why=wrong.strerror or wrong) from wrong

    def path(self, name: str) -> Path:
        """The file of that name."""
        return self.folder / f"{name}.key"

    def _make_folder(self) -> None:
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with suppress(OSError):  # a stick that knows no modes
            self.folder.chmod(0o700)

    def _read(self, name: str) -> bytes | None:
        path = self.path(name)
        try:
            with path.open("rb") as file:
                held = file.read(MOST_FILE_BYTES)
        except FileNotFoundError:
            return None
        except OSError as wrong:
            raise KeyTrouble("keys.unreadable", path=path, why=wrong.strerror or wrong) from wrong
        with suppress(OSError):
            path.chmod(0o600)
        return held

    def _open(self, path: Path, held: bytes) -> Signer:
        if held not in _opened:
            self._passphrase(path, held)
        return _opened[held]

    def _passphrase(self, path: Path, held: bytes) -> str:
        """That which opens ``held``; it is open then. Raises KeyTrouble."""
        try:
            given = passphrases.from_credential()
            typed = given if given is not None else self.ask(f"{path.name}: ")
            if typed is None:
                raise KeyTrouble("keys.locked", path=path, credential=passphrases.CREDENTIAL)
            _opened[held] = locked.unlock(held, typed)
        except locked.WrongPassphrase:
            raise KeyTrouble("keys.wrong_passphrase", path=path) from None
        except (codec.Malformed, codec.TooBig):
            raise KeyTrouble("keys.not_a_key", path=path) from None
        except OSError as wrong:
            raise KeyTrouble("keys.unreadable", path=path, why=wrong.strerror or wrong) from wrong
        return typed


def of(settings: Settings) -> Keyring:
    """The station's."""
    return Keyring(settings.keys_dir, settings.station_key)


def _content(signer: Signer, passphrase: str | None) -> bytes:
    if passphrase is None:
        return signer.secret.hex().encode() + b"\n"
    try:
        return locked.lock(signer, passphrase)
    except ValueError:
        least, most = locked.LEAST_PASSPHRASE, locked.MOST_PASSPHRASE
        raise KeyTrouble("keys.bad_passphrase", least=least, most=most) from None
