"""The trust document: which key may seal what, for which areas, up to which class, until when.

- Sealed by the offline root, whose public key is pinned in the node at enrolment.
- Modelled on The Update Framework's root and delegations (TUF 1.0, §4.3 and §4.5), cut to what a radio needs.
"""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta

from wire.plan import END, BulletinClass, Moment

Hex32 = Annotated[str, Meta(pattern=f"^[0-9a-f]{{64}}{END}")]
Owner = Annotated[str, Meta(max_length=200)]  # an area (with all below it), or *


class Grant(msgspec.Struct, frozen=True):
    """What one station key may do."""

    public_key: Hex32  # raw Ed25519 public key, hex
    areas: Annotated[tuple[Owner, ...], Meta(min_length=1, max_length=200)]
    up_to: BulletinClass
    not_before: Moment
    until: Moment
    label: Annotated[str, Meta(max_length=100)] = ""  # who holds the key


class Cosigner(msgspec.Struct, frozen=True):
    """A second person's key: it may agree to emergencies, and seal nothing by itself."""

    public_key: Hex32  # raw Ed25519 public key, hex
    holder: Annotated[str, Meta(min_length=1, max_length=100)]
    areas: Annotated[tuple[Owner, ...], Meta(min_length=1, max_length=200)]
    not_before: Moment
    until: Moment


class Trust(msgspec.Struct, frozen=True):
    """The root's word on keys; a higher serial replaces a lower one whole."""

    serial: Annotated[int, Meta(ge=1)]
    issued_at: Moment
    valid_until: Moment
    grants: Annotated[tuple[Grant, ...], Meta(max_length=500)]
    cosigners: Annotated[tuple[Cosigner, ...], Meta(max_length=100)] = ()
    cosign_below: Annotated[int, Meta(ge=0, le=20)] = 0  # an emergency for fewer slugs than this needs a second seal
