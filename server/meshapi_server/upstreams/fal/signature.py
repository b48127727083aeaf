"""fal's webhook signature: Ed25519 (RFC 8032) over four lines, with keys that fal publishes.

Source: fal's documentation of webhooks. A body's own digest is the last of the four lines.
"""

import base64
import binascii
import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

from meshapi_server.upstreams.adapter import Announcement, Forged

TOLERANCE = 300  # s between fal's clock and ours
_SIGNED = ("x-fal-webhook-request-id", "x-fal-webhook-user-id", "x-fal-webhook-timestamp")
_SIGNATURE = "x-fal-webhook-signature"


def check_headers(announcement: Announcement) -> None:
    """Raise Forged when a header is missing or the time is off; costs nothing."""
    headers = announcement.headers
    for name in (*_SIGNED, _SIGNATURE):
        if not headers.get(name):
            raise Forged(f"the header {name} is missing")
    stamp = headers["x-fal-webhook-timestamp"]
    if not (stamp.isascii() and stamp.isdigit() and len(stamp) <= 12):
        raise Forged("the timestamp is no number")
    if abs(announcement.received_at / 1000 - int(stamp)) > TOLERANCE:
        raise Forged("the timestamp is too far from now")


def check_signature(announcement: Announcement, published: Mapping[str, Any]) -> None:
    """Raise Forged unless one of the published keys (a JWK set, RFC 8037) signed this."""
    try:
        signature = bytes.fromhex(announcement.headers[_SIGNATURE])
    except ValueError:
        raise Forged("the signature is not hexadecimal") from None
    message = message_of(announcement.headers, announcement.body)
    if not any(_signed(key, signature, message) for key in _keys(published)):
        raise Forged("no published key made the signature")


def message_of(headers: Mapping[str, str], body: bytes) -> bytes:
    """What is signed."""
    lines = [*(headers[name] for name in _SIGNED), hashlib.sha256(body).hexdigest()]
    return "\n".join(lines).encode()


def _keys(published: Mapping[str, Any]) -> Sequence[bytes]:
    keys = published.get("keys")
    found = []
    for key in keys if isinstance(keys, list) else ():
        text = key.get("x") if isinstance(key, dict) and key.get("crv", "Ed25519") == "Ed25519" else None
        try:
            found.append(base64.urlsafe_b64decode(f"{text or ''}=="))
        except (binascii.Error, ValueError):
            continue
    return [key for key in found if len(key) == 32]


def _signed(key: bytes, signature: bytes, message: bytes) -> bool:
    # Imported here: only those who let fal call back need it. Without it a callback cannot be told from a
    # forged one, and does no more than wake.
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    try:
        Ed25519PublicKey.from_public_bytes(key).verify(signature, message)
    except (InvalidSignature, ValueError):
        return False
    return True
