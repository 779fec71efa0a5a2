"""The key that every form carries, and the one case where another key than the browser's own is good too.

- Two pages that a fresh browser opens at once get two keys, and its cookie keeps the later one. The form of the other
  page has a key that this station signed, and the browser says itself (``Origin``, which no page can set) that a page
  of this very address sent it: that is taken.
- A key that was not signed here, a form from elsewhere or from nobody knows where: refused as ever.
"""

from __future__ import annotations

from flask import current_app, request
from flask_wtf.csrf import CSRFError, CSRFProtect
from itsdangerous import BadData, URLSafeTimedSerializer

SALT = "wtf-csrf-token"  # Flask-WTF's own; a test holds it to that


class FormKeys(CSRFProtect):  # type: ignore[misc]  # it has no types
    """Flask-WTF's guard, and a signed key of this station's from a page of this very address."""

    def protect(self, apply_exemptions: bool = False) -> None:
        """Raises CSRFError for a form that may not change anything."""
        try:
            super().protect(apply_exemptions)
        except CSRFError:
            if not (_from_own_page() and _is_ours(self._get_csrf_token() or "")):
                raise


def _from_own_page() -> bool:
    """Whether the browser names this address, scheme and port too, as that of the page that sends."""
    return f"{request.headers.get('Origin', '')}/" == request.host_url


def _is_ours(key: str) -> bool:
    try:
        URLSafeTimedSerializer(current_app.config["SECRET_KEY"], salt=SALT).loads(key)
    except BadData:
        return False
    return True
