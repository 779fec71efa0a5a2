"""Passkeys (WebAuthn, level 2): what a browser is asked, and whether its answer is true. The one door to webauthn.

- The library is brought in when it is first needed: the command line never needs it.
- What a browser answers is hostile until it is verified: whatever the library stumbles over is `BadAnswer`.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from controller.store.factors import Passkey
from controller.store.rows import User
from wire import codec

MOST_ANSWER_BYTES = 20_000
TIMEOUT_MS = 120_000


class BadAnswer(Exception):
    """An answer that proves nothing."""


@dataclass(frozen=True)
class Site:
    """Where passkeys count: ``origin`` as a browser says it (``https://HOST[:PORT]``), and the station's name."""

    origin: str
    name: str

    @property
    def rp_id(self) -> str:
        """The host alone: to it a passkey is bound."""
        return re.sub(r"^https?://|:[0-9]+$", "", self.origin)


@dataclass(frozen=True)
class Answer:
    """A verified answer: the credential's id, its counter, and for a new one its public key."""

    id: str
    uses: int
    public_key: bytes = b""


def to_register(site: Site, who: User, challenge: bytes, held: Iterable[Passkey]) -> str:
    """What ``navigator.credentials.create`` is given, as JSON."""
    import webauthn
    from webauthn.helpers import structs

    options = webauthn.generate_registration_options(
        rp_id=site.rp_id,
        rp_name=site.name,
        user_id=who.id.encode(),
        user_name=who.name,
        user_display_name=who.full_name or who.name,
        challenge=challenge,
        timeout=TIMEOUT_MS,
        authenticator_selection=structs.AuthenticatorSelectionCriteria(
            resident_key=structs.ResidentKeyRequirement.REQUIRED,
            user_verification=structs.UserVerificationRequirement.REQUIRED,
        ),
        exclude_credentials=[_described(each.id) for each in held],
    )
    return webauthn.options_to_json(options)


def to_prove(site: Site, challenge: bytes, held: Iterable[Passkey] = ()) -> str:
    """What ``navigator.credentials.get`` is given, as JSON; with nothing ``held`` anybody who has a passkey here."""
    import webauthn
    from webauthn.helpers import structs

    options = webauthn.generate_authentication_options(
        rp_id=site.rp_id,
        challenge=challenge,
        timeout=TIMEOUT_MS,
        allow_credentials=[_described(each.id) for each in held],
        user_verification=structs.UserVerificationRequirement.REQUIRED,
    )
    return webauthn.options_to_json(options)


def registered(site: Site, answer: str, challenge: bytes) -> Answer:
    """The new credential, verified against what was asked. Raises BadAnswer."""
    import webauthn
    from webauthn import helpers

    given = _given(answer)
    try:
        found = webauthn.verify_registration_response(
            credential=given,
            expected_challenge=challenge,
            expected_rp_id=site.rp_id,
            expected_origin=site.origin,
            require_user_verification=True,
        )
        helpers.decoded_public_key_to_cryptography(helpers.decode_credential_public_key(found.credential_public_key))
    except _stumbles() as wrong:
        raise BadAnswer(str(wrong)) from wrong
    name = helpers.bytes_to_base64url(found.credential_id)
    return Answer(name, found.sign_count, found.credential_public_key)


def proven(site: Site, answer: str, challenge: bytes, held: Passkey) -> Answer:
    """That whoever answered holds ``held``. The counter is for the caller to judge. Raises BadAnswer."""
    import webauthn
    from webauthn import helpers

    given = _given(answer)
    whose = given["response"].get("userHandle")
    if whose not in (None, "") and whose != helpers.bytes_to_base64url(held.user.encode()):
        raise BadAnswer("another person's")
    try:
        found = webauthn.verify_authentication_response(
            credential=given,
            expected_challenge=challenge,
            expected_rp_id=site.rp_id,
            expected_origin=site.origin,
            credential_public_key=held.public_key,
            credential_current_sign_count=0,
            require_user_verification=True,
        )
    except _stumbles() as wrong:
        raise BadAnswer(str(wrong)) from wrong
    return Answer(held.id, found.new_sign_count)


def id_in(answer: str) -> str:
    """The credential that an answer says it comes from, not verified. Raises BadAnswer."""
    return str(_given(answer)["id"])


def _given(answer: str) -> dict[str, Any]:
    """The answer as JSON, its outer shape checked. Raises BadAnswer."""
    try:
        given = codec.read(dict[str, Any], answer.encode(), MOST_ANSWER_BYTES)
    except (codec.Malformed, codec.TooBig, UnicodeEncodeError) as wrong:
        raise BadAnswer("no JSON") from wrong
    if not isinstance(given.get("id"), str) or not isinstance(given.get("response"), dict):
        raise BadAnswer("no credential")
    return given


def _described(name: str) -> Any:  # the library's own type, which is not loaded yet
    from webauthn.helpers import base64url_to_bytes, structs

    return structs.PublicKeyCredentialDescriptor(id=base64url_to_bytes(name))


def _stumbles() -> tuple[type[Exception], ...]:
    from webauthn.helpers.exceptions import WebAuthnException

    data = (ValueError, TypeError, KeyError, IndexError, AttributeError, OverflowError, RecursionError)
    return (WebAuthnException, struct.error, *data, NotImplementedError, MemoryError)
