"""Identifiers: ULIDs that sort by creation, within one process strictly."""

import secrets
import threading
import time

_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"  # Crockford base 32, https://www.crockford.com/base32.html
_PAIRS = tuple(high + low for high in _ALPHABET for low in _ALPHABET)
_RANDOM_BITS = 80


def crockford(value: int, length: int) -> str:
    """``value`` in Crockford base 32, left-padded with zeros to ``length`` characters."""
    pairs = []
    for _ in range((length + 1) // 2):
        pairs.append(_PAIRS[value & 1023])
        value >>= 10
    pairs.reverse()
    return "".join(pairs)[-length:]


class _Monotonic:
    """ULIDs of one process never repeat and never go back, even when the clock does."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._last = 0

    def next(self) -> str:
        now = time.time_ns() // 1_000_000
        with self._lock:
            if now <= self._last >> _RANDOM_BITS:
                self._last += 1
            else:
                self._last = (now << _RANDOM_BITS) | secrets.randbits(_RANDOM_BITS)
            fresh = self._last
        return crockford(fresh, 26)


_source = _Monotonic()


def ulid() -> str:
    """A new 26-character ULID (https://github.com/ulid/spec), monotonic within the process."""
    return _source.next()


def task_id() -> str:
    """A new task id: ``task_`` and a ULID, so that ids sort by creation."""
    return f"task_{ulid()}"


def oldest_task_id(at: int) -> str:
    """What the id of every task that was created at ``at`` (ms since the epoch) or later is not less than."""
    return f"task_{crockford(max(0, at) << _RANDOM_BITS, 26)}"


def is_task_id(text: str) -> bool:
    """Whether ``text`` has the form of :func:`task_id`; says nothing about whether there is such a task."""
    return text.startswith("task_") and len(text) == 31 and set(text[5:]) <= set(_ALPHABET)


def request_id() -> str:
    """A new request id: ``req_`` and a ULID."""
    return f"req_{ulid()}"


def api_key() -> str:
    """A new secret key: ``rsk_`` and 26 Crockford characters, 130 random bits (wire.md section 1)."""
    return f"rsk_{crockford(secrets.randbits(130), 26)}"
