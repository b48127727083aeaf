"""Webhooks of the Interactions API: a JWT for those of one request, Standard Webhooks for those of a project.

Sources: ai.google.dev on webhooks; standardwebhooks.com for the HMAC; RFC 7515 and RFC 7517 for the JWT and
its keys.
"""

import base64
import binascii
import hmac
from collections.abc import Mapping
from typing import Any

from meshapi_server.upstreams.adapter import Announcement, Forged, Heard, HttpResponse, Talk, Unreadable
from meshapi_server.upstreams.http import get
from meshapi_server.upstreams.refusals import Unclear

_KEYS = "/.well-known/jwks.json"
_KEYS_LAST = 600.0  # s
_TOLERANCE = 300  # s, both ways


def heard(announcement: Announcement, secret: str | None) -> Talk[Heard]:
    """Verify and read one. Raises Forged, Unreadable, or Unclear when Google's keys cannot be had."""
    signature = announcement.headers.get("webhook-signature", "")
    _check_time(announcement)
    if signature.startswith("v1,"):
        if secret is None or not is_signed(announcement, signature, secret):
            raise Forged("the HMAC does not fit")
    else:
        response = yield get(_KEYS, authorised=False, keep_for=_KEYS_LAST)
        if not response.ok:
            raise Unclear(f"Google's public keys answered HTTP {response.status}")
        keys = response.object().get("keys")
        claims = claims_of(signature, [key for key in keys or () if isinstance(key, dict)])
        expires = claims.get("exp")
        if isinstance(expires, (int, float)) and expires + _TOLERANCE < announcement.received_at / 1000:
            raise Forged("the token has expired")
    event = HttpResponse(status=200, body=announcement.body).object()
    data = event.get("data")
    reference = data.get("id") if isinstance(data, dict) else None
    if not isinstance(reference, str) or not reference:
        raise Unreadable("an event without an id")
    return Heard(verified=True, reference=reference)


def is_signed(announcement: Announcement, signatures: str, secret: str) -> bool:
    """Whether one of the signatures (of old and new secrets) is that of Standard Webhooks 1.0."""
    headers = announcement.headers
    signed = f"{headers.get('webhook-id', '')}.{headers.get('webhook-timestamp', '')}.".encode()
    try:
        key = base64.b64decode(secret.removeprefix("whsec_"), validate=True)
    except (binascii.Error, ValueError):
        return False
    digest = base64.b64encode(hmac.digest(key, signed + announcement.body, "sha256")).decode()
    given = [each.removeprefix("v1,") for each in signatures.split(" ") if each.startswith("v1,")]
    return any(hmac.compare_digest(digest.encode(), each.encode()) for each in given)


def claims_of(token: str, keys: list[dict[str, Any]]) -> Mapping[str, Any]:
    """The claims of a JWT that one of the keys signed with RS256. Raises Forged."""
    parts = token.split(".")
    if len(parts) != 3:
        raise Forged("there is no signature")
    try:
        header = HttpResponse(status=200, body=_decoded(parts[0])).object()
        claims = HttpResponse(status=200, body=_decoded(parts[1])).object()
        signature = _decoded(parts[2])
    except (binascii.Error, ValueError, Unreadable):
        raise Forged("the signature is no JWT") from None
    if header.get("alg") != "RS256":
        raise Forged("the JWT is not signed with RS256")
    signed = f"{parts[0]}.{parts[1]}".encode()
    fitting = [key for key in keys if key.get("kty") == "RSA" and key.get("kid") == header.get("kid")]
    if not any(_verifies(key, signed, signature) for key in fitting):
        raise Forged("the JWT was not signed by one of Google's keys")
    return claims


def _verifies(key: Mapping[str, Any], signed: bytes, signature: bytes) -> bool:
    # Imported here, so that a server without callbacks from Google needs no cryptography.
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import padding, rsa

    try:
        numbers = [int.from_bytes(_decoded(str(key[name]))) for name in ("e", "n")]
        public = rsa.RSAPublicNumbers(*numbers).public_key()
        public.verify(signature, signed, padding.PKCS1v15(), hashes.SHA256())
    except (InvalidSignature, KeyError, ValueError):
        return False
    return True


def _check_time(announcement: Announcement) -> None:
    """Refuse what is old: it may have been recorded and sent again."""
    at = announcement.headers.get("webhook-timestamp", "")
    readable = at.isascii() and at.isdigit() and len(at) <= 12
    if not readable or abs(int(at) - announcement.received_at / 1000) > _TOLERANCE:
        raise Forged("the timestamp is missing or too far from now")


def _decoded(part: str) -> bytes:
    return base64.b64decode(part + "=" * (-len(part) % 4), altchars=b"-_", validate=True)
