"""Codes of an app (TOTP, RFC 6238: SHA-1, 6 digits, 30 s) and recovery codes. The one door to pyotp."""

from __future__ import annotations

import re
import secrets
from datetime import datetime
from hmac import compare_digest

import pyotp

STEP_SECONDS = 30
STEPS_AROUND = 1  # a phone's clock may be half a minute off
RECOVERY_CODES = 10
_LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"  # none that is taken for another
_GROUPS, _GROUP = 3, 4


def new_secret() -> str:
    """160 random bits in base32."""
    return pyotp.random_base32()


def address(secret: str, name: str, station: str) -> str:
    """The ``otpauth:`` address that an app reads off a screen."""
    return pyotp.TOTP(secret).provisioning_uri(name=name, issuer_name=station.replace(":", " "))


def step_of(secret: str, typed: str, now: datetime) -> int | None:
    """The 30 s step whose code was typed, of those around ``now``; None when it is none of theirs."""
    digits = re.sub(r"[\s.-]", "", typed[:40])
    if not re.fullmatch(r"[0-9]{6}", digits):
        return None
    here, app = int(now.timestamp()) // STEP_SECONDS, pyotp.TOTP(secret)
    around = range(here - STEPS_AROUND, here + STEPS_AROUND + 1)
    right = [step for step in around if compare_digest(app.generate_otp(step), digits)]
    return right[-1] if right else None


def new_recovery() -> tuple[str, ...]:
    """Ten codes like ``h3kd-9wxp-t7ma``, 59 bits each."""
    return tuple(_recovery() for _ in range(RECOVERY_CODES))


def plain_recovery(typed: str) -> str:
    """A recovery code as it is marked, however it was typed."""
    return re.sub(r"[^a-z0-9]", "", typed[:60].casefold())


def _recovery() -> str:
    return "-".join("".join(secrets.choice(_LETTERS) for _ in range(_GROUP)) for _ in range(_GROUPS))
