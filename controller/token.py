"""A key in a token (PKCS#11): a smart card, a stick, an HSM. It never leaves it. The one door to python-pkcs11.

- Named by a URI (RFC 7512): ``pkcs11:token=loa;object=station?module-path=/usr/lib/….so&pin-source=file:/…``. Without
  ``pin-source`` the PIN is systemd's credential ``loa-pin``, else asked for at the terminal.
- Ed25519 only (CKM_EDDSA): a token that cannot do that, such as a TPM through tpm2-pkcs11, holds no key of ours.
- One session, one signature at a time. A token that was pulled out is opened anew at the next seal.
"""

from __future__ import annotations

import threading
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from controller import passphrases
from wire.seal import PublicKey
from words import Said

SCHEME = "pkcs11:"
PIN = "loa-pin"  # systemd's credential
MODULE = "/usr/lib/softhsm/libsofthsm2.so"
MOST_PIN_BYTES = 256
_KNOWN = {"token", "object", "module-path", "pin-source"}


class TokenTrouble(Said):
    """A token that is not there, or does not do what is asked."""


@dataclass(frozen=True)
class Slot:
    """The URI taken apart."""

    token: str
    label: str
    module: str
    pin_source: str

    @classmethod
    def read(cls, uri: str) -> Slot:
        """Raises TokenTrouble for a URI that does not name one object of one token."""
        path, _, query = uri.removeprefix(SCHEME).partition("?")
        parts = [part.partition("=") for part in (*path.split(";"), *query.split("&")) if part]
        said = {name: unquote(value) for name, _, value in parts}
        if not uri.startswith(SCHEME) or not said.keys() <= _KNOWN or not said.get("token") or not said.get("object"):
            raise TokenTrouble("keys.bad_uri", uri=uri.partition("?")[0][:200])
        return cls(said["token"], said["object"], said.get("module-path", MODULE), said.get("pin-source", ""))

    def pin(self) -> str:
        """Raises TokenTrouble."""
        try:
            if self.pin_source:
                with Path(urlsplit(self.pin_source).path or self.pin_source).open("rb") as file:
                    return file.read(MOST_PIN_BYTES).decode("utf-8", "replace").strip()
            found = passphrases.from_credential(PIN)
        except OSError as wrong:
            raise TokenTrouble("keys.no_pin", token=self.token, why=wrong.strerror or wrong) from wrong
        pin = found if found is not None else passphrases.asked(f"PIN ({self.token}): ")
        if pin is None:
            raise TokenTrouble("keys.no_pin", token=self.token, why=PIN)
        return pin


class TokenSigner:
    """The private key of a slot, as something that seals."""

    def __init__(self, slot: Slot) -> None:
        """Raises TokenTrouble."""
        self._slot, self._lock = slot, threading.Lock()
        self._session: Any = None
        self._key: Any = None
        with self._lock:
            self._public = self._opened()

    @property
    def public(self) -> PublicKey:
        """The half that checks."""
        return self._public

    def sign(self, message: bytes) -> bytes:
        """The 64-byte signature over ``message``. Raises TokenTrouble."""
        import pkcs11

        with self._lock:
            for again in (True, False):
                try:
                    if self._session is None:
                        self._reopened()
                    return bytes(self._key.sign(message, mechanism=pkcs11.Mechanism.EDDSA))
                except pkcs11.PKCS11Error as wrong:
                    self._leave()
                    if not again:
                        raise self._trouble(wrong) from wrong
        raise AssertionError

    def _reopened(self) -> None:
        if self._opened() != self._public:
            self._leave()
            raise TokenTrouble("keys.other_object", token=self._slot.token, label=self._slot.label)

    def _opened(self) -> PublicKey:
        """The session and the private key; gives the public one. Raises TokenTrouble."""
        try:
            import pkcs11
        except ImportError as wrong:
            raise TokenTrouble("keys.no_pkcs11") from wrong
        slot = self._slot
        try:
            token = pkcs11.lib(slot.module).get_token(token_label=slot.token)
            try:
                self._session = token.open(user_pin=slot.pin())
            except pkcs11.exceptions.UserAlreadyLoggedIn:  # another session of this process is
                self._session = token.open()
            self._key = self._session.get_key(pkcs11.ObjectClass.PRIVATE_KEY, label=slot.label)
            public = self._session.get_key(pkcs11.ObjectClass.PUBLIC_KEY, label=slot.label)
            return PublicKey(_point(bytes(public[pkcs11.Attribute.EC_POINT])))
        except (pkcs11.PKCS11Error, ValueError, OSError, RuntimeError) as wrong:
            self._leave()
            raise self._trouble(wrong) from wrong

    def _leave(self) -> None:
        import pkcs11

        session, self._session, self._key = self._session, None, None
        if session is not None:
            with suppress(pkcs11.PKCS11Error):
                session.close()

    def _trouble(self, wrong: Exception) -> TokenTrouble:
        why = str(wrong) or type(wrong).__name__
        return TokenTrouble("keys.token", token=self._slot.token, label=self._slot.label, why=why[:200])


def _point(raw: bytes) -> bytes:
    """The 32 bytes of an Ed25519 point: bare, or as a DER OCTET STRING (PKCS#11 2.40 and 3.0 differ)."""
    return raw[2:] if len(raw) == 34 and raw[:2] == b"\x04\x20" else raw
