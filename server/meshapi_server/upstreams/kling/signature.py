"""The signature of Kling's callbacks: Standard Webhooks, HMAC-SHA256, one or (while keys change) two."""

import base64
import binascii
import hmac

from meshapi_server.upstreams.adapter import Announcement, Forged

TOLERANCE = 300  # s between Kling's clock and ours
_PREFIX = "whsec_"
_HEADERS = ("webhook-id", "webhook-timestamp", "webhook-signature")


def check(announcement: Announcement, secret: str) -> None:
    """Raise Forged unless the callback was signed with the secret, and lately."""
    for name in _HEADERS:
        if not announcement.headers.get(name):
            raise Forged(f"the header {name} is missing")
    stamp = announcement.headers["webhook-timestamp"]
    if not (stamp.isascii() and stamp.isdigit() and len(stamp) <= 12):
        raise Forged("the timestamp is no number")
    if abs(announcement.received_at / 1000 - int(stamp)) > TOLERANCE:
        raise Forged("the timestamp is too far from now")
    expected = signature_of(announcement, secret).encode()
    given = announcement.headers["webhook-signature"].encode("utf-8", "replace").split()
    if not any([hmac.compare_digest(expected, each) for each in given]):  # noqa: C419 - all, in the same time
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
