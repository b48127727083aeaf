"""The signature of OpenRouter's webhooks: HMAC-SHA256 over the time, a comma and the raw body, in hex.

Source: OpenRouter's cookbook of video webhooks.
"""

import hmac

from meshapi_server.upstreams.adapter import Announcement, Forged

TOLERANCE = 300  # s between OpenRouter's clock and ours
_HEADER = "x-openrouter-signature"


def check(announcement: Announcement, secret: str) -> None:
    """Raise Forged unless the workspace's secret signed this within the last minutes."""
    stamp, given = _parts(announcement.headers.get(_HEADER, ""))
    if abs(announcement.received_at / 1000 - int(stamp)) > TOLERANCE:
        raise Forged("the timestamp is too far from now")
    expected = signature_of(stamp, announcement.body, secret)
    matches = [hmac.compare_digest(expected, each) for each in given]
    if not any(matches):
        raise Forged("the signature is another")


def signature_of(stamp: str, body: bytes, secret: str) -> bytes:
    """The signature in hexadecimal."""
    return hmac.digest(secret.encode(), f"{stamp},".encode() + body, "sha256").hex().encode()


def _parts(header: str) -> tuple[str, list[bytes]]:
    """The time (s) and the signatures of ``t=…,v1=…``."""
    pairs = [part.strip().partition("=") for part in header.split(",")]
    stamps = [value for name, _, value in pairs if name == "t"]
    signatures = [value.encode("utf-8", "replace") for name, _, value in pairs if name == "v1"]
    readable = len(stamps) == 1 and stamps[0].isascii() and stamps[0].isdigit() and len(stamps[0]) <= 12
    if not readable or not signatures:
        raise Forged(f"the header {_HEADER} is missing or cannot be read")
    return stamps[0], signatures
