"""The kernel's clock: whether anything disciplines it, and by how much it is ahead. For both sides; nothing raises.

- The offset is the kernel's own (adjtimex): it is right whoever disciplines the clock.
"""

from __future__ import annotations

import ctypes

STA_UNSYNC, STA_NANO, TIME_ERROR = 0x0040, 0x2000, 5  # adjtimex(2)


class _Timex(ctypes.Structure):
    """struct timex of adjtimex(2), 64-bit or 32-bit by the width of long; the rest is padding."""

    _fields_ = (
        ("modes", ctypes.c_uint),
        ("offset", ctypes.c_long),
        ("freq", ctypes.c_long),
        ("maxerror", ctypes.c_long),
        ("esterror", ctypes.c_long),
        ("status", ctypes.c_int),
        ("padding", ctypes.c_char * 256),
    )


def kernel_clock() -> tuple[str | None, float | None]:
    """Whether the kernel holds its clock for synchronised, and by how much it is ahead, in ms.

    (None, None) where it cannot be asked. ("none", None) when nobody disciplines the clock.
    """
    timex = _Timex()
    try:
        state = ctypes.CDLL(None, use_errno=True).adjtimex(ctypes.byref(timex))
    except (OSError, AttributeError):
        return None, None
    if state < 0:
        return None, None
    if state == TIME_ERROR or timex.status & STA_UNSYNC:
        return "none", None
    per_ms = 1_000_000 if timex.status & STA_NANO else 1000
    return "ntp", round(-timex.offset / per_ms, 3)  # a positive one is still to be added: the clock is behind
