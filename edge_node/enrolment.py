"""Enrolment: this node makes its keys, proves that it has the one-time code, and writes down what the station answers.

- The keys are made here and never leave the folder; what travels is told in `wire.enrolment`.
- What lies here already is used again only for the same code: a node whose answer was lost asks once more.
- The settings file is written last, and never over that of another node without ``force``.
"""

from __future__ import annotations

import os
import shutil
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from edge_node import asking, badge, disk, settings
from edge_node.settings import SettingsError
from edge_node.wallclock import Wallclock
from wire import certificates, codec, enrolment, onetime
from wire.certificates import BadCertificate
from wire.enrolment import No, NotProved, Welcome, Wish
from wire.onetime import BadCode, Code
from wire.seal import Signer
from words import Said

PENDING = "enrolling"  # in the state folder: the keys that were sent and not yet answered
NODE_KEY, BROKER_KEY, BROKER_CERT, BROKER_CA = "node.key", "broker.key", "broker.pem", "broker-ca.pem"
_STAYS = {PENDING, "audio", "clock"}  # what is nobody's when another node takes the folder over
_OURS = (
    *("node", "home", "root_keys", "root_threshold", "root_version", "state_dir"),
    *("broker_host", "broker_port", "station_url"),
)
_TLS = ("broker_ca", "broker_cert", "broker_key")


class EnrolmentError(Said):
    """Why this node is not enrolled."""


@dataclass(frozen=True)
class Asked:
    """What an installer typed. ``more``: settings to write beside those that the station tells."""

    code: str
    station: str
    config: Path
    state_dir: Path
    more: Mapping[str, object]
    force: bool = False


@dataclass(frozen=True)
class _Fresh:
    """Keys that nobody knows yet."""

    signer: Signer
    broker_key: bytes


def enrol(asked: Asked) -> Welcome:
    """Ask, believe only what is proved, and write it down. Raises Said; then the settings file is as it was."""
    code = _code(asked.code)
    held = _held(asked)
    _check_writable(asked.config)
    try:
        fresh = _keys(asked.state_dir / PENDING, code)
        welcome = _welcome(asked, code, fresh, str(held.get("node", "")))
        _write(asked, welcome, fresh, held)
    except OSError as wrong:
        path = wrong.filename or asked.state_dir
        raise EnrolmentError("node.state_unusable", path=path, why=wrong.strerror or wrong) from wrong
    return welcome


def state_dir_in(config: Path) -> Path | None:
    """The state folder that a settings file names already, None where it names none or cannot be read."""
    try:
        named = tomllib.loads(config.read_text("utf-8")).get("state_dir")
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError):
        return None
    return Path(named) if isinstance(named, str) and named else None


def _code(typed: str) -> Code:
    try:
        return onetime.read(typed)
    except BadCode as wrong:
        raise EnrolmentError(f"node.code_{wrong.what}", letters=wrong.letters, count=onetime.LETTERS) from None


def _held(asked: Asked) -> dict[str, object]:
    """The settings of the node that was enrolled here before; empty when there is none, or it may be replaced."""
    try:
        found = tomllib.loads(asked.config.read_text("utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as wrong:
        if asked.force and not isinstance(wrong, OSError):
            return {}
        raise SettingsError("node.bad_settings_file", path=asked.config, why=wrong) from None
    if asked.force or not found.get("root_keys"):  # an example that nobody filled in names no node
        return {name: value for name, value in found.items() if name not in (*_OURS, *_TLS)}
    return found


def _check_writable(config: Path) -> None:
    """Asked before the code is used up. Raises SettingsError."""
    place = config if config.exists() and not os.access(config.parent, os.W_OK) else config.parent
    if not os.access(place, os.W_OK):
        raise SettingsError("node.config_unwritable", path=config, user=_user())


def _keys(pending: Path, code: Code) -> _Fresh:
    """Keys for this code: new ones, or those that were sent with it before. Raises OSError."""
    marks = pending / "code"
    if not marks.exists() or marks.read_text("ascii", "replace") != code.name:
        shutil.rmtree(pending, ignore_errors=True)
        pending.mkdir(mode=0o700, parents=True)
        disk.write(pending / NODE_KEY, Signer.generate().secret.hex().encode() + b"\n", mode=0o600)
        disk.write(pending / BROKER_KEY, certificates.new_key(), mode=0o600)
        disk.write(marks, code.name.encode())
    secret = bytes.fromhex((pending / NODE_KEY).read_text("ascii").strip())
    return _Fresh(Signer(secret), (pending / BROKER_KEY).read_bytes())


def _welcome(asked: Asked, code: Code, fresh: _Fresh, held: str) -> Welcome:
    """What the station says to us. Raises Said."""
    keys = enrolment.stretch(code)
    request = certificates.request(fresh.broker_key, code.name)
    wish = Wish(os.urandom(32).hex(), fresh.signer.public.hex, request, held)
    question = enrolment.ask(wish, code.name, keys, fresh.signer)
    answered = asking.post(asked.station, enrolment.PATH, question, enrolment.MOST_ANSWER_BYTES)
    try:
        if answered.status != 200:
            raise _refused(answered.body, asked, held)
        welcome = enrolment.welcome_of(answered.body, question, keys)
        if certificates.public_of(welcome.certificate) != certificates.public_of_key(fresh.broker_key):
            raise EnrolmentError("node.not_proved", station=asked.station)
        if welcome.authority:
            certificates.read(welcome.authority)
    except NotProved:
        raise EnrolmentError("node.not_proved", station=asked.station) from None
    except (codec.Malformed, codec.TooBig, BadCertificate):
        raise asking.Unanswered("node.station_not_understood", station=asked.station) from None
    return welcome


def _refused(body: bytes, asked: Asked, held: str) -> EnrolmentError:
    """The sentence for a refusal. Raises codec.Malformed for an answer of something else."""
    said = codec.read(enrolment.Refusal, body, enrolment.MOST_ANSWER_BYTES)
    known = said.reason if said.reason in {each.value for each in No} else "closed"
    left = said.tries_left if said.tries_left is not None else 0
    return EnrolmentError(f"node.refused_{known}", station=asked.station, left=left, path=asked.config, node=held)


def _write(asked: Asked, welcome: Welcome, fresh: _Fresh, held: Mapping[str, object]) -> None:
    """Everything in its place, the settings last. Raises OSError, SettingsError."""
    told = _told(asked, welcome, held)
    made = settings.make(told)  # what cannot be used is not written
    folder = asked.state_dir
    _make_room(folder, _name_in(asked.config), made.node)
    for void in badge.RENEWED:  # of the enrolment before
        disk.remove(folder / void)
    disk.write(folder / NODE_KEY, fresh.signer.secret.hex().encode() + b"\n", mode=0o600)
    disk.write(folder / BROKER_KEY, fresh.broker_key, mode=0o600)
    disk.write(folder / BROKER_CERT, welcome.certificate.encode())
    if welcome.authority:
        disk.write(folder / BROKER_CA, welcome.authority.encode())
    clock = Wallclock(folder / "clock")
    clock.learn(welcome.at)
    clock.keep()
    _write_config(asked.config, settings.written(told))
    shutil.rmtree(folder / PENDING, ignore_errors=True)
    _hand_over(folder, asked.config)


def _told(asked: Asked, welcome: Welcome, held: Mapping[str, object]) -> dict[str, object]:
    """The settings as they will stand: what the station tells over what was there."""
    kept = {name: value for name, value in held.items() if name not in (*_OURS, *_TLS)}
    told: dict[str, object] = {"node": welcome.node, "home": welcome.home, "root_keys": list(welcome.root_keys)}
    if welcome.root_threshold > 1 or welcome.root_version:  # else a version before these settings can read the file
        told |= {"root_threshold": welcome.root_threshold, "root_version": welcome.root_version}
    told["state_dir"] = str(asked.state_dir)
    told["broker_host"] = welcome.broker_host or asking.host_of(asked.station)
    told["broker_port"] = welcome.broker_port
    told["station_url"] = asked.station.rstrip("/")
    if welcome.authority:
        kept = {name: value for name, value in kept.items() if name not in ("broker_user", "broker_password")}
        files = (BROKER_CA, BROKER_CERT, BROKER_KEY)
        told |= {name: str(asked.state_dir / file) for name, file in zip(_TLS, files, strict=True)}
    return told | kept | dict(asked.more)


def _name_in(config: Path) -> str:
    """Whose settings lie there, as far as they can be read."""
    try:
        found = tomllib.loads(config.read_text("utf-8"))
        return str(found.get("node", "")) if found.get("root_keys") else ""
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError):
        return ""


def _make_room(folder: Path, before: str, node: str) -> None:
    """What another node remembered here is put aside: its receipts are not this one's. Raises OSError."""
    if before in ("", node):
        return
    aside = folder / f"of-{before[:64].replace('/', '-')}"
    aside.mkdir(mode=0o700, exist_ok=True)
    for path in list(folder.iterdir()):
        if path.name not in _STAYS and not path.name.startswith("of-"):
            path.replace(aside / path.name)


def _write_config(path: Path, text: str) -> None:
    """Replaced whole; in place where the folder is not ours but the file is. Raises OSError."""
    if os.access(path.parent, os.W_OK):
        disk.write(path, text.encode(), mode=0o640)
        return
    with path.open("r+b") as file:
        file.truncate()
        file.write(text.encode())
        file.flush()
        os.fsync(file.fileno())


def _hand_over(folder: Path, config: Path) -> None:
    """Run by root, for a service that is not: what was written belongs to the folder's owner. Raises OSError."""
    owner = folder.stat()
    if os.geteuid() != 0 or owner.st_uid == 0:
        return
    for path in (folder / name for name in (NODE_KEY, BROKER_KEY, BROKER_CERT, BROKER_CA, "clock")):
        if path.exists():
            os.chown(path, owner.st_uid, owner.st_gid)
    os.chown(config, -1, owner.st_gid)


def _user() -> str:
    return str(os.environ.get("USER") or os.geteuid())
