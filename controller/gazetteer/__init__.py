"""OFFICIAL UNITS: provinces, districts and communes by their codes, as they are since 1 July 2025 and as they were.

- `reading` takes them out of a file that somebody brings: the wheel of vietnamadminunits (its data, never its code),
  the database in it, or a CSV of our own form. Bytes in; a frozen `Gazetteer`, or a `GazetteerError` by name.
- `matching` says which of them are areas here already, and what the others will be called. Pure.
"""

from __future__ import annotations

from controller.gazetteer.matching import Found, Here, Plan, State, bare, plan, slug
from controller.gazetteer.reading import MOST_BYTES, read
from controller.gazetteer.units import Gazetteer, GazetteerError, Heir, Structure, Unit

__all__ = [
    "MOST_BYTES",
    "Found",
    "Gazetteer",
    "GazetteerError",
    "Heir",
    "Here",
    "Plan",
    "State",
    "Structure",
    "Unit",
    "bare",
    "plan",
    "read",
    "slug",
]
