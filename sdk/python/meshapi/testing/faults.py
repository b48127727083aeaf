"""What requests meet instead of, or after, being served."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that goes wrong with one request.

    ``kind`` is ``answer`` (``status``, ``headers`` and ``body`` come instead), ``not_sent`` (no connection),
    ``maybe_sent`` (the connection breaks) or ``timed_out`` (no answer in time). ``accepted`` tells whether
    the server did what it was asked all the same; ``after_bytes``, how much of a download comes first.
    """

    kind: Literal["answer", "not_sent", "maybe_sent", "timed_out"]
    status: int = 0
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    accepted: bool = False
    after_bytes: int = 0


def answers(
    status: int,
    code: str | None = None,
    message: str | None = None,
    *,
    headers: Mapping[str, str] | None = None,
    body: bytes | None = None,
    accepted: bool = False,
) -> Fault:
    """An answer of this ``status``: an error envelope of ``code`` and ``message``, or ``body`` as it is."""
    error: dict[str, Any] = {"code": code, "message": message or f"Scripted: {status}."}
    content = json.dumps({"error": error}).encode() if body is None else body
    return Fault("answer", status, dict(headers or {}), content, accepted)


def rate_limited(retry_after: float = 1.0) -> Fault:
    """A 429 that asks to come back after so many seconds."""
    headers = {"Retry-After": f"{retry_after:g}"}
    return answers(429, "rate_limit_exceeded", "Too many requests.", headers=headers)


def unavailable(status: int = 503, *, accepted: bool = False) -> Fault:
    """A 503, or another status of a server or proxy in trouble."""
    return answers(status, None, "Scripted trouble.", accepted=accepted)


def drops(*, accepted: bool = False, after_bytes: int = 0) -> Fault:
    """A connection that breaks. ``accepted``: the server had done what it was asked; the answer is lost."""
    return Fault("maybe_sent", accepted=accepted, after_bytes=after_bytes)


def refuses() -> Fault:
    """No connection at all: the server has seen nothing."""
    return Fault("not_sent")


def times_out(*, accepted: bool = False) -> Fault:
    """No answer in time; the clock moves by the timeout of the request."""
    return Fault("timed_out", accepted=accepted)
