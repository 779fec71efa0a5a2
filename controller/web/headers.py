"""The headers that every answer carries, also those that no view made."""

from __future__ import annotations

CSP = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; "
    "connect-src 'self'; media-src 'self' blob:; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
PERMISSIONS = (
    "camera=(), microphone={microphone}, geolocation=(), payment=(), usb=(), serial=(), midi=(), display-capture=()"
)
HEADERS = {
    "Content-Security-Policy": CSP,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Permissions-Policy": PERMISSIONS.format(microphone="()"),
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "X-Permitted-Cross-Domain-Policies": "none",
}
HSTS = ("Strict-Transport-Security", "max-age=31536000")
MICROPHONE = {"Permissions-Policy": PERMISSIONS.format(microphone="(self)")}  # on the one page that records


def carried(secure: bool) -> dict[str, str]:
    """What an answer carries; over TLS it also says that there shall be nothing else from now on (RFC 6797)."""
    return HEADERS | dict([HSTS]) if secure else dict(HEADERS)
