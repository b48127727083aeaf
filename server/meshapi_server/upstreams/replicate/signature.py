"""The signature of Replicate's webhooks, which is that of Standard Webhooks (HMAC-SHA256, ``v1``)."""

import base64
import binascii
import hmac

from meshapi_server.upstreams.adapter import Announcement, Forged

TOLERANCE = 300  # s between Replicate's clock and ours
_PREFIX = "whsec_"
_HEADERS = ("webhook-id", "webhook-timestamp", "webhook-signature")


def check_headers(announcement: Announcement) -> None:
    """Raise Forged when a header is missing or the time is off; costs nothing."""
    for name in _HEADERS:
        if not announcement.headers.get(name):
            raise Forged(f"the header {name} is missing")
    stamp = announcement.headers["webhook-timestamp"]
    if not (stamp.isascii() and stamp.isdigit() and len(stamp) <= 12):
        raise Forged("the timestamp is no number")
    if abs(announcement.received_at / 1000 - int(stamp)) > TOLERANCE:
        raise Forged("the timestamp is too far from now")


def check_signature(announcement: Announcement, secret: str) -> None:
    """Raise Forged unless one of the header's signatures was made with the secret."""
    expected = signature_of(announcement, secret).encode()
    given = announcement.headers["webhook-signature"].encode("utf-8", "replace").split()
    matches = [hmac.compare_digest(expected, each) for each in given]
    if not any(matches):
        raise Forged("the signature is another")


def signature_of(announcement: Announcement, secret: str) -> str:
    """``v1,`` and the signature in base64. Raises Forged for a secret that is none."""
    try:
        key = base64.b64decode(secret.removeprefix(_PREFIX), validate=True)
    except (binascii.Error, ValueError):
        raise Forged("the signing secret cannot be read") from None
    headers = announcement.headers
    head = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode()
    return "v1," + base64.b64encode(hmac.digest(key, head + announcement.body, "sha256")).decode()
