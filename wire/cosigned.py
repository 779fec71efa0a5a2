"""The second seal: what another person's key says of an emergency that is wider than one key may send alone.

- It covers what is heard, where, when and as what: whoever changes one of these needs the second person again. The
  address of the audio is not covered; its hash is.
- It stands in the job, beside everything that the station's own seal on the plan covers.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import takewhile
from typing import Annotated

import msgspec
from msgspec import Meta

from wire import codec, seal
from wire.plan import BulletinClass, Cosigned, Job, Level, Moment, Name
from wire.seal import PublicKey, Sealer

KIND = "cosigned"  # in the seal


class Statement(msgspec.Struct, frozen=True):
    """What the second key signs, as JSON bytes in this order."""

    job: Name
    areas: tuple[Name, ...]
    bulletin_class: BulletinClass
    level: Level
    start: Moment
    deadline: Moment
    drill: bool
    spoken: str
    audio: Annotated[str, Meta(max_length=64)]  # its SHA-256; empty: words alone, which nodes speak themselves


def statement(job: Job, areas: tuple[str, ...]) -> bytes:
    """What is to be signed so that ``job`` may sound in ``areas``."""
    heard = (job.start, job.deadline, job.drill, job.spoken, job.asset.sha256 if job.asset else "")
    return codec.write(Statement(job.id, areas, job.bulletin_class, job.level, *heard))


def cosign(job: Job, areas: tuple[str, ...], *signers: Sealer) -> Job:
    """``job`` with the seals of ``signers`` over it."""
    said = statement(job, areas)
    seals = tuple(seal.signature(KIND, said, signer) for signer in signers)
    return msgspec.structs.replace(job, cosigned=Cosigned(areas, seals))


def cosigners(job: Job, keys: dict[str, PublicKey]) -> list[str]:
    """The ids of those ``keys`` that truly signed ``job`` as it stands, each once. Raises codec.Malformed."""
    if job.cosigned is None:
        return []
    said, true = statement(job, job.cosigned.areas), []
    for each in job.cosigned.seals:
        key = keys.get(each.keyid)
        if key is not None and each.keyid not in true and seal.is_signature(KIND, said, each, key):
            true.append(each.keyid)
    return true


def width(area: str) -> int:
    """How many slugs its path has: 1 is the widest; 0 for no path at all."""
    return area.count(":") + 1 if area else 0


def span(area: str, homes: Iterable[str]) -> str:
    """The longest path that ``area`` and all ``homes`` begin with: a group is as wide as where its nodes hang."""
    common = area.split(":")
    for home in homes:
        parts = home.split(":")
        common = [mine for mine, _ in takewhile(lambda pair: pair[0] == pair[1], zip(common, parts, strict=False))]
    return ":".join(common)
