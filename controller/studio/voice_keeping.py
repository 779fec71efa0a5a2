"""Neural voices come and go: `add` takes the operator's file, lets it speak, and keeps it whole or not at all.

- A stranger's archive is unpacked by a process in the cage; what it holds is only ever read, and spoken by another.
- Where it came from, its checksums and its licence are recorded; without a licence nothing is kept.
- Everything is made in a folder of its own beside the voices and renamed at the end; one at a time.
"""

from __future__ import annotations

import errno
import fcntl
import os
import re
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import cage
from cage import Bounds, Cage
from controller.studio import neural_files, neural_record, unpacking
from controller.studio.neural_files import refused
from controller.studio.neural_record import SAMPLE, NeuralRecord
from controller.studio.neural_voice import NeuralLimits, NeuralVoice
from controller.studio.unpacking import Reason
from controller.studio.voice import Trouble, VoiceError

NAME = r"[a-z0-9][a-z0-9-]{0,39}"
SAMPLE_TEXT = "Kính chào bà con. Đây là giọng đọc mới của đài truyền thanh."
_ARCHIVES = (".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tbz2", ".tar.xz", ".zip")
_STAGED, _LOCK = ".adding-", ".lock"
_UNPACKER = Path(unpacking.__file__)
_UNPACKER_MEMORY_BYTES = 512 << 20


@dataclass(frozen=True, slots=True)
class KeepingLimits:
    """What is taken: files in an archive, bytes of the file and of all it unpacks to; seconds for each step."""

    most_files: int = 5000
    most_bytes: int = 1 << 30
    work_seconds: float = 300.0


@dataclass(frozen=True, slots=True)
class Added:
    """A voice that was kept: its ``name`` in the settings, its record, and the WAV in which it says `SAMPLE_TEXT`."""

    name: str
    record: NeuralRecord
    sample: Path


def add(file: Path, voices_dir: Path, name: str = "", licence: str = "", limits: KeepingLimits | None = None) -> Added:
    """Keeps the voice in ``file``: an archive, a folder, or a model with its ``.onnx.json`` beside it.

    ``name`` (`NAME`) is made from the file's where it is empty; ``licence`` is needed where none lies in the file.
    Raises VoiceError: the sentence says what is wrong; then nothing is kept.
    """
    bounds = limits or KeepingLimits()
    called = name or _name_of(file)
    if not re.fullmatch(NAME, called):
        raise refused("voices.bad_name", name=called[:80])
    try:
        with _staging(voices_dir) as staged:
            if (voices_dir / called).exists():
                raise refused("voices.name_taken", name=called)
            record = _keep(file, staged, licence, bounds)
            neural_record.write(record, staged)
            _speak(NeuralVoice(staged, called, NeuralLimits(bounds.work_seconds)), staged)
            staged.chmod(0o755)
            _flush(staged)
            staged.rename(voices_dir / called)
            _flush(voices_dir)
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise VoiceError(Trouble.TEMPORARY, "studio.disk_full", folder=voices_dir) from None
        raise refused("voices.unreadable", file=error.filename or file, why=error.strerror or error) from None
    return Added(f"neural:{called}", record, voices_dir / called / SAMPLE)


def remove(name: str, voices_dir: Path) -> None:
    """Removes the neural voice ``name`` (without ``neural:``). Raises VoiceError: there is none."""
    folder = voices_dir / name
    if not re.fullmatch(NAME, name) or not (folder / neural_record.RECORD).is_file():
        raise refused("voices.not_kept", name=name[:80])
    try:
        with _staging(voices_dir) as staged:
            folder.rename(staged / name)
    except OSError as error:
        raise refused("voices.unreadable", file=error.filename or folder, why=error.strerror or error) from None


def kept(voices_dir: Path) -> list[str]:
    """The names of the neural voices in the folder, in order."""
    try:
        found = sorted(path.parent.name for path in voices_dir.glob(f"*/{neural_record.RECORD}"))
    except OSError:
        return []
    return [name for name in found if re.fullmatch(NAME, name)]


def _name_of(file: Path) -> str:
    stem = file.name.lower()
    for end in (*_ARCHIVES, ".onnx"):
        stem = stem.removesuffix(end)
    return re.sub(r"[^a-z0-9]+", "-", stem).strip("-")[:40].strip("-")


@contextmanager
def _staging(voices_dir: Path) -> Iterator[Path]:
    """A folder to make a voice in, gone afterwards unless renamed; what a killed process left is gone too."""
    voices_dir.mkdir(parents=True, exist_ok=True)
    with (voices_dir / _LOCK).open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise VoiceError(Trouble.TEMPORARY, "voices.busy") from None
        for left in voices_dir.glob(f"{_STAGED}*"):
            shutil.rmtree(left, ignore_errors=True)
        staged = Path(tempfile.mkdtemp(prefix=_STAGED, dir=voices_dir))
        try:
            yield staged
        finally:
            shutil.rmtree(staged, ignore_errors=True)


def _keep(file: Path, staged: Path, licence: str, limits: KeepingLimits) -> NeuralRecord:
    if file.is_dir():
        model = neural_files.choose_model(file, limits.most_files)
        source = model
    elif file.suffix == ".onnx":
        file.stat()  # one that is not there is told so
        model = source = file
    else:
        source = file
        model = _unpacked(file, staged / "unpacked", limits)
    found = neural_files.keep(model, staged, limits.most_bytes)
    named = neural_files.one_line(licence) or found.licence
    if not named:
        raise refused("voices.no_licence")
    digest = neural_record.sha256_of(source)
    shutil.rmtree(staged / "unpacked", ignore_errors=True)
    sums = {path.name: neural_record.sha256_of(path) for path in sorted(staged.iterdir())}
    return NeuralRecord(found.reads, found.language, named, neural_files.one_line(file.name), digest, sums)


def _unpacked(file: Path, folder: Path, limits: KeepingLimits) -> Path:
    """The model of the archive ``file``, unpacked into ``folder``. Raises VoiceError, OSError."""
    size = file.stat().st_size
    if not file.name.lower().endswith(_ARCHIVES):
        raise refused("voices.no_voice_file", file=file.name, known=", ".join((*_ARCHIVES, ".onnx")))
    if size > limits.most_bytes:
        raise refused("voices.archive_too_large", megabytes=limits.most_bytes >> 20)
    folder.mkdir()
    amounts = [str(limits.most_files), str(limits.most_bytes)]
    command = [sys.executable, "-I", str(_UNPACKER), str(file.absolute()), str(folder), *amounts]
    bounds = Bounds(_UNPACKER_MEMORY_BYTES, int(limits.work_seconds) + 1, limits.most_bytes)
    try:
        code = cage.run(command, limits.work_seconds, Cage((file.absolute(), _UNPACKER), folder, bounds)).code
    except cage.Hung:
        raise refused("voices.archive_hung", seconds=f"{limits.work_seconds:g}") from None
    if code:
        raise _why(code, file, folder, limits)
    return neural_files.choose_model(folder, 2 * limits.most_files)


def _why(code: int, file: Path, folder: Path, limits: KeepingLimits) -> VoiceError:
    match code:
        case Reason.UNSAFE_NAME:
            return refused("voices.archive_unsafe_name")
        case Reason.NOT_A_FILE:
            return refused("voices.archive_not_a_file")
        case Reason.TOO_MANY:
            return refused("voices.archive_too_many", most=limits.most_files)
        case Reason.TOO_LARGE:
            return refused("voices.archive_too_large", megabytes=limits.most_bytes >> 20)
        case Reason.NO_ROOM:
            return VoiceError(Trouble.TEMPORARY, "studio.disk_full", folder=folder.parent)
    return refused("voices.archive_broken", file=file.name)


def _speak(voice: NeuralVoice, staged: Path) -> None:
    """Lets the new voice say its sample. Raises VoiceError."""
    with tempfile.TemporaryDirectory(dir=staged) as work:
        voice.speak(SAMPLE_TEXT, Path(work)).rename(staged / SAMPLE)


def _flush(folder: Path) -> None:
    """What lies in the folder is on the disk."""
    for path in (*(each for each in folder.iterdir() if each.is_file()), folder):
        descriptor = os.open(path, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
