"""A passkey in software: what an honest authenticator answers, and what a dishonest one might."""

from __future__ import annotations

import hashlib
import json
import secrets
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass, field
from typing import Any

import cbor2
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256

from controller.desk import Site

SITE = Site("https://loa.example", "Đài xã")
PRESENT, VERIFIED, ATTESTED = 0x01, 0x04, 0x40


def b64(raw: bytes) -> str:
    return urlsafe_b64encode(raw).decode().rstrip("=")


def unb64(text: str) -> bytes:
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))


@dataclass
class SoftKey:
    """One credential. ``uses`` is its counter; ``flags`` what it claims about its person."""

    id: bytes = field(default_factory=lambda: secrets.token_bytes(16))
    key: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))
    uses: int = 0
    flags: int = PRESENT | VERIFIED
    user: bytes = b""

    def makes(self, options: str, origin: str = SITE.origin, **changed: Any) -> str:
        """The answer to a registration."""
        asked = json.loads(options)
        self.user = unb64(asked["user"]["id"])
        numbers = self.key.public_key().public_numbers()
        public = {1: 2, 3: -7, -1: 1, -2: numbers.x.to_bytes(32, "big"), -3: numbers.y.to_bytes(32, "big")}
        attested = bytes(16) + len(self.id).to_bytes(2, "big") + self.id + cbor2.dumps(changed.get("public", public))
        data = self._data(changed.get("rp_id", asked["rp"]["id"]), ATTESTED) + attested
        made = {
            "clientDataJSON": self._client("webauthn.create", asked, origin),
            "attestationObject": b64(cbor2.dumps({"fmt": "none", "attStmt": {}, "authData": data})),
        }
        return self._answer(made)

    def proves(self, options: str, origin: str = SITE.origin, **changed: Any) -> str:
        """The answer to a question; ``changed``: rp_id, kind, challenge, handle."""
        asked = json.loads(options) | {k: v for k, v in changed.items() if k == "challenge"}
        self.uses += 1
        client = self._client(changed.get("kind", "webauthn.get"), asked, origin)
        data = self._data(changed.get("rp_id", asked["rpId"]))
        signature = self.key.sign(data + hashlib.sha256(unb64(client)).digest(), ec.ECDSA(SHA256()))
        handle = changed.get("handle", self.user)
        return self._answer(
            {
                "clientDataJSON": client,
                "authenticatorData": b64(data),
                "signature": b64(signature),
                "userHandle": b64(handle),
            }
        )

    def _data(self, rp_id: str, more: int = 0) -> bytes:
        return hashlib.sha256(rp_id.encode()).digest() + bytes([self.flags | more]) + self.uses.to_bytes(4, "big")

    def _client(self, kind: str, asked: dict[str, Any], origin: str) -> str:
        return b64(json.dumps({"type": kind, "challenge": asked["challenge"], "origin": origin}).encode())

    def _answer(self, response: dict[str, str]) -> str:
        name = b64(self.id)
        return json.dumps({"id": name, "rawId": name, "type": "public-key", "response": response})
