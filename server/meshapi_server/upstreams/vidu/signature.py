"""The signature of Vidu's callbacks: HMAC-SHA256 over the request line and some headers, not over the body.

Source: Vidu's documentation of its callback signature. The key is the API key itself.
"""

import base64
import hmac
from collections.abc import Mapping
from email.utils import parsedate_to_datetime

from meshapi_server.upstreams.adapter import Announcement, Forged

TOLERANCE = 300  # s between Vidu's clock and ours
_ACCESS_KEY = "vidu"
_SIGNATURE = "x-hmac-signature"
_FIXED = {"x-hmac-access-key": _ACCESS_KEY, "x-hmac-algorithm": "hmac-sha256"}
_NEEDED = ("date", "x-hmac-signed-headers", _SIGNATURE)


def check(announcement: Announcement, key: str) -> None:
    """Raise Forged unless Vidu made this request for this URL within the last minutes."""
    headers = announcement.headers
    for name in _NEEDED:
        if not headers.get(name):
            raise Forged(f"the header {name} is missing")
    for name, value in _FIXED.items():
        if headers.get(name, value).lower() != value:
            raise Forged(f"the header {name} is not {value}")
    if abs(announcement.received_at / 1000 - _moment(headers["date"])) > TOLERANCE:
        raise Forged("the date is too far from now")
    expected = signature_of(announcement, key).encode()
    if not hmac.compare_digest(expected, headers[_SIGNATURE].encode("utf-8", "replace")):
        raise Forged("the signature is another")


def signature_of(announcement: Announcement, key: str) -> str:
    """The signature that a request should have, in base64. Raises Forged when it lacks a signed header."""
    lines = [
        announcement.method.upper(),
        announcement.path or "/",
        announcement.query,
        _ACCESS_KEY,
        announcement.headers["date"],
        *_signed(announcement.headers),
    ]
    message = "".join(f"{line}\n" for line in lines)
    return base64.b64encode(hmac.digest(key.encode(), message.encode(), "sha256")).decode()


def _signed(headers: Mapping[str, str]) -> list[str]:
    lines = []
    for name in headers["x-hmac-signed-headers"].split(";"):
        if name.lower() not in headers:
            raise Forged("a signed header is missing")
        lines.append(f"{name}:{headers[name.lower()]}")
    return lines


def _moment(date: str) -> float:
    try:
        return parsedate_to_datetime(date).timestamp()
    except (ValueError, TypeError, OverflowError):
        raise Forged("the date cannot be read") from None
