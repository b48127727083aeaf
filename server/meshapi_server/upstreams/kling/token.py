"""The token for Kling's older pair of keys: a JWT (RFC 7519) that the secret key signs with HMAC-SHA256."""

import base64
import hmac

import msgspec

from meshapi_server.upstreams.adapter import Login, Talk

_LASTS = 1800  # s
_EARLIER = 5  # s by which Kling's clock may be behind
_RENEWED_AFTER = 1500  # s; Kling advises a fresh one every 25 minutes


def login(access: str, secret: str, now: int) -> Talk[Login]:
    """A fresh token; ``now`` is ms since the epoch. Nothing is sent."""
    yield from ()
    return Login(token=token_of(access, secret, now // 1000), expires_at=now + _RENEWED_AFTER * 1000)


def token_of(access: str, secret: str, now: int) -> str:
    """The token at ``now``, in s since the epoch."""
    claims = {"iss": access, "exp": now + _LASTS, "nbf": now - _EARLIER}
    signed = f"{_encoded({'alg': 'HS256', 'typ': 'JWT'})}.{_encoded(claims)}"
    return f"{signed}.{_base64(hmac.digest(secret.encode(), signed.encode(), 'sha256'))}"


def _encoded(value: object) -> str:
    return _base64(msgspec.json.encode(value))


def _base64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
