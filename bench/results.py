"""What a measurement gives: figures, each with its unit and, where there is one, its goal; and the machine."""

from __future__ import annotations

import os
import platform
import statistics
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import psutil


@dataclass(frozen=True)
class Figure:
    """One number. ``most`` and ``least`` are its goal: the largest or the smallest that is good."""

    name: str
    value: float
    unit: str
    most: float | None = None
    least: float | None = None

    @property
    def met(self) -> bool | None:
        """Whether the goal is met; None where there is none."""
        if self.most is None and self.least is None:
            return None
        return (self.most is None or self.value <= self.most) and (self.least is None or self.value >= self.least)

    @property
    def goal(self) -> str:
        """The goal in words, empty where there is none."""
        if self.most is not None:
            return f"≤ {number(self.most)}"
        return f"≥ {number(self.least)}" if self.least is not None else ""


@dataclass(frozen=True)
class Measurement:
    """What one measurement found: its figures in the order in which they are read, and what to know of them."""

    name: str
    figures: tuple[Figure, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Results:
    """One run."""

    machine: dict[str, str]
    measurements: tuple[Measurement, ...] = field(default=())

    def as_plain(self) -> dict[str, object]:
        """As JSON has it."""
        return {
            "machine": self.machine,
            "measurements": [
                {
                    "name": each.name,
                    "figures": [
                        {"name": f.name, "value": f.value, "unit": f.unit, "goal": f.goal, "met": f.met}
                        for f in each.figures
                    ],
                    "notes": list(each.notes),
                }
                for each in self.measurements
            ],
        }

    def as_text(self) -> str:
        """For a person: a table for each measurement."""
        lines = [f"{name}: {value}" for name, value in self.machine.items()]
        for each in self.measurements:
            lines += ["", f"== {each.name}"]
            width = max((len(figure.name) for figure in each.figures), default=0)
            lines += [_line(figure, width) for figure in each.figures]
            lines += [f"  * {note}" for note in each.notes]
        return "\n".join(lines)


def _line(figure: Figure, width: int) -> str:
    verdict = {None: "", True: f"   goal {figure.goal}: met", False: f"   goal {figure.goal}: MISSED"}[figure.met]
    return f"  {figure.name:<{width}}  {number(figure.value):>9} {figure.unit}{verdict}"


def number(value: float) -> str:
    """Three digits that count, and whole thousands."""
    if abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.3g}"


def spread(name: str, values: Sequence[float], unit: str, most: float | None = None) -> list[Figure]:
    """The median of ``values`` (at least one), which carries the goal, and the least and the greatest."""
    return [
        Figure(f"{name}, median of {len(values)}", statistics.median(values), unit, most=most),
        Figure(f"{name}, least", min(values), unit),
        Figure(f"{name}, greatest", max(values), unit),
    ]


def machine() -> dict[str, str]:
    """What the numbers were measured on, and how busy it was before."""
    memory = psutil.virtual_memory().total / 2**30
    return {
        "processor": f"{_model()}, {os.cpu_count()} cores",
        "memory": f"{memory:.0f} GiB",
        "system": f"{platform.freedesktop_os_release().get('PRETTY_NAME', '')}, Linux {platform.release()}",
        "python": platform.python_version(),
        "load before": f"{os.getloadavg()[0]:.2f}",
    }


def _model() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.lower().startswith(("model name", "model\t")):
            return line.partition(":")[2].strip()
    return platform.machine()
