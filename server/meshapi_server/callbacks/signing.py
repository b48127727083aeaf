"""Signatures by Standard Webhooks (https://www.standardwebhooks.com): pure."""

import base64
import hashlib
import hmac
from collections.abc import Iterable

PREFIX = "whsec_"  # what a secret begins with when it is shown
SECRET_BYTES = 32


def shown(secret: bytes) -> str:
    """A secret as its owner keeps it: ``whsec_`` and base64."""
    return PREFIX + base64.b64encode(secret).decode()


def headers(secrets: Iterable[bytes], message_id: str, timestamp: int, body: bytes) -> dict[str, str]:
    """The three headers of a message, with a signature by every secret; ``timestamp`` is Unix seconds."""
    content = b".".join((message_id.encode(), str(timestamp).encode(), body))
    digests = [hmac.digest(secret, content, hashlib.sha256) for secret in secrets]
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": " ".join(f"v1,{base64.b64encode(digest).decode()}" for digest in digests),
    }
