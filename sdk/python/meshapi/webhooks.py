"""Callbacks: whether to believe one, and what it tells (wire.md section 7; contract: webhooks).

    event = webhooks.parse(await request.body(), request.headers)
    print(event.task.id, event.task.status)

The server signs by the Standard Webhooks scheme: ``webhook-signature`` holds ``v1,`` and the base64 of an
HMAC-SHA256 over ``id.timestamp.body``. It needs no client and does no I/O; ``client.webhooks`` is the same
with the client's secret. A callback may come more than once, always with the same ``event.id``.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import math
import os
import re
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from .errors import ConfigurationError, ResponseDecodingError, WebhookVerificationError

if TYPE_CHECKING:
    from .types import VideoTaskResponse

TOLERANCE_SECONDS = 300.0
SECRET_PREFIX = "whsec_"  # noqa: S105 - what a secret begins with, not a secret
_VARIABLE = "MESHAPI_WEBHOOK_SECRET"
_UNIX_SECONDS = re.compile(r"[0-9]{1,15}")


class Headers(Protocol):
    """The headers of a request, of any framework: a mapping of text, or what has ``items()`` like one."""

    def items(self) -> Iterable[tuple[str, str]]:
        """Names, in any case, and values; a name may come twice."""


@dataclass(frozen=True, slots=True)
class WebhookEvent:
    """A callback that was verified: a task has ended.

    ``id`` is the same at every delivery of one event; ``timestamp`` is when it was signed, Unix seconds.
    """

    id: str
    timestamp: int
    task: VideoTaskResponse


def verify(
    payload: bytes | str,
    headers: Headers,
    *,
    secret: str | Sequence[str] | None = None,
    tolerance: float = TOLERANCE_SECONDS,
) -> None:
    """Return if the callback is to be believed, else raise ``WebhookVerificationError``.

    ``payload`` is the raw body, as it came: JSON that was parsed and written again has other bytes.
    ``secret`` is ``whsec_`` and base64, or several while one takes the place of another; without it
    MESHAPI_WEBHOOK_SECRET is used (several are separated by blanks). ``tolerance`` is how many seconds old,
    or ahead, a callback may be, so that it cannot be replayed later. Raises ``ConfigurationError`` for a
    secret that is none.
    """
    _verified(payload, headers, _keys(secret), tolerance, time.time)


def parse(
    payload: bytes | str,
    headers: Headers,
    *,
    secret: str | Sequence[str] | None = None,
    tolerance: float = TOLERANCE_SECONDS,
) -> WebhookEvent:
    """``verify``, and then what the callback tells. A genuine body that is no task is refused, too."""
    return _event(payload, _verified(payload, headers, _keys(secret), tolerance, time.time))


class Webhooks:
    """``client.webhooks``: the same with the client's secret. Shows no secret."""

    def __init__(
        self, secret: str | Sequence[str] | None = None, *, clock: Callable[[], float] = time.time
    ) -> None:
        self._secret = secret
        self._clock = clock

    def verify(
        self,
        payload: bytes | str,
        headers: Headers,
        *,
        secret: str | Sequence[str] | None = None,
        tolerance: float = TOLERANCE_SECONDS,
    ) -> None:
        """Return if the callback is to be believed; see ``meshapi.webhooks.verify``."""
        _verified(payload, headers, _keys(secret or self._secret), tolerance, self._clock)

    def parse(
        self,
        payload: bytes | str,
        headers: Headers,
        *,
        secret: str | Sequence[str] | None = None,
        tolerance: float = TOLERANCE_SECONDS,
    ) -> WebhookEvent:
        """Verify the callback and return what it tells; see ``meshapi.webhooks.parse``."""
        keys = _keys(secret or self._secret)
        return _event(payload, _verified(payload, headers, keys, tolerance, self._clock))


@dataclass(frozen=True, slots=True)
class _Signed:
    id: str
    timestamp: str


def _verified(
    payload: bytes | str,
    headers: Headers,
    keys: Sequence[bytes],
    tolerance: float,
    clock: Callable[[], float],
) -> _Signed:
    # The signature comes before the age, so that "too old" is said of genuine callbacks only.
    allowed = _checked_tolerance(tolerance)
    body = _bytes(payload)
    found: dict[str, list[str]] = {}
    for name, value in headers.items():
        found.setdefault(name.lower(), []).append(value)
    signed = _Signed(_one(found, "webhook-id"), _one(found, "webhook-timestamp"))
    signatures = " ".join(found.get("webhook-signature", ())).strip()
    if not signatures:
        raise _refused("missing_header", "the header webhook-signature is missing")
    if not _UNIX_SECONDS.fullmatch(signed.timestamp):
        raise _refused(
            "malformed_timestamp", f"the header webhook-timestamp is {signed.timestamp!r}, not Unix seconds"
        )
    content = b".".join((signed.id.encode("utf-8", "surrogatepass"), signed.timestamp.encode(), body))
    if not _fits(signatures, [hmac.digest(key, content, hashlib.sha256) for key in keys]):
        raise _refused(
            "wrong_signature",
            "no signature fits: the secret is another one, or the body is not the one that was sent",
        )
    age = clock() - int(signed.timestamp)
    if age > allowed:
        raise _refused("too_old", f"it was signed {age:.0f} s ago; at most {allowed:g} s are allowed")
    if age < -allowed:
        raise _refused(
            "too_new", f"it was signed {-age:.0f} s ahead of this clock; at most {allowed:g} s are allowed"
        )
    return signed


def _event(payload: bytes | str, signed: _Signed) -> WebhookEvent:
    from . import _decoding
    from ._exchange import Answer

    try:
        task = _decoding.task(Answer(200, {}, _bytes(payload)))
    except ResponseDecodingError:
        raise _refused("no_task", "it is genuine, but its body is no task") from None
    return WebhookEvent(signed.id, int(signed.timestamp), task)


def _fits(signatures: str, wanted: Sequence[bytes]) -> bool:
    """Whether any signature is one of the wanted, compared in constant time."""
    fits = False
    for each in signatures.split():
        version, _, encoded = each.rstrip(",").partition(",")  # a proxy may have joined two headers by ", "
        if version != "v1":
            continue
        try:
            given = base64.b64decode(encoded, validate=True)
        except (binascii.Error, ValueError):
            continue
        for one in wanted:
            fits = hmac.compare_digest(given, one) or fits
    return fits


def _one(found: dict[str, list[str]], name: str) -> str:
    value = next(iter(found.get(name, ())), "")
    if not value:
        raise _refused("missing_header", f"the header {name} is missing")
    return value


def _keys(secret: str | Sequence[str] | None) -> list[bytes]:
    given = secret or os.environ.get(_VARIABLE) or ""
    # The empty parts of "a  b" are dropped; an empty string in a list is a mistake.
    secrets = given.split() if isinstance(given, str) else [str(each).strip() for each in given]
    if not secrets:
        raise ConfigurationError(
            f"no webhook secret: pass secret=..., or set the environment variable {_VARIABLE}"
        )
    return [_key(each) for each in secrets]


def _key(secret: str) -> bytes:
    encoded = secret.removeprefix(SECRET_PREFIX)
    try:
        key = base64.b64decode(encoded + "=" * (-len(encoded) % 4), validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if not key:
        # The value itself is never shown.
        raise ConfigurationError(f"the webhook secret is not {SECRET_PREFIX} and base64")
    return key


def _checked_tolerance(tolerance: float) -> float:
    if isinstance(tolerance, bool) or not isinstance(tolerance, int | float):
        tolerance = math.nan
    if not 0 < tolerance < math.inf:
        raise ConfigurationError(f"tolerance must be a finite, positive number of seconds, got {tolerance!r}")
    return float(tolerance)


def _bytes(payload: object) -> bytes:
    if isinstance(payload, str):
        return payload.encode()
    if isinstance(payload, bytes | bytearray | memoryview):
        return bytes(payload)
    raise TypeError(f"payload must be the raw body, bytes or text, got {type(payload).__name__}")


def _refused(reason: str, told: str) -> WebhookVerificationError:
    return WebhookVerificationError(f"the callback is not to be believed: {told}", reason)
