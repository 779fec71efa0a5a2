"""The outline that the map is drawn on: the station's own GeoJSON file (``web_outline``), read with limits.

- Polygons and multipolygons alone or in a collection, longitude before latitude (RFC 7946); all else in it is left out.
- What is too large, too deep or no outline is refused with a sentence on the map's page; the map is drawn without.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any

from controller.web.language import WebError

MOST_BYTES = 3_000_000
MOST_POINTS = 30_000
DIGITS = 4  # of a degree: some ten metres

Ring = list[list[float]]


def rings(path: str) -> list[Ring]:
    """The rings as ``[latitude, longitude]``, none where no file is set. Raises WebError ``web.outline_wrong``."""
    if not path:
        return []
    try:
        changed = Path(path).stat().st_mtime_ns
        return _read(path, changed)
    except (OSError, ValueError, RecursionError) as wrong:
        raise WebError("web.outline_wrong", file=Path(path).name, why=str(wrong)[:120]) from wrong


@lru_cache(maxsize=2)
def _read(path: str, _changed: int) -> list[Ring]:
    with Path(path).open("rb") as file:
        content = file.read(MOST_BYTES + 1)
    return parsed(content)


def parsed(content: bytes) -> list[Ring]:
    """The rings of a file. Raises ValueError, RecursionError."""
    if len(content) > MOST_BYTES:
        raise ValueError(f"> {MOST_BYTES} bytes")
    found: list[Ring] = []
    points = 0
    for ring in _rings(json.loads(content)):
        points += len(ring)
        if points > MOST_POINTS:
            raise ValueError(f"> {MOST_POINTS} points")
        found.append([_point(each) for each in ring])
    if not found:
        raise ValueError("no Polygon")
    return found


def _rings(told: Any) -> Iterator[list[Any]]:
    kind = told.get("type") if isinstance(told, dict) else None
    inner = {"FeatureCollection": "features", "GeometryCollection": "geometries"}.get(kind or "")
    if inner:
        for each in _listed(told.get(inner)):
            yield from _rings(each)
    elif kind == "Feature":
        yield from _rings(told.get("geometry"))
    elif kind in ("Polygon", "MultiPolygon"):
        shapes = _listed(told.get("coordinates"))
        for shape in shapes if kind == "MultiPolygon" else [shapes]:
            for ring in _listed(shape):
                yield _listed(ring)


def _listed(told: Any) -> list[Any]:
    if not isinstance(told, list):
        raise ValueError("no GeoJSON")
    return told


def _point(told: Any) -> list[float]:
    numbers = _listed(told)[:2]
    if len(numbers) < 2 or not all(type(each) in (int, float) and math.isfinite(each) for each in numbers):
        raise ValueError("no GeoJSON")
    longitude, latitude = numbers
    if not (-90 <= latitude <= 90 and -180 <= longitude <= 180):
        raise ValueError(f"{longitude}, {latitude}")
    return [round(latitude, DIGITS), round(longitude, DIGITS)]
