"""The book of accepted orders: one JSON line each, appended before the answer goes out.

A line is written by one ``write`` to a file opened for appending, so it survives the death of the fake at any
moment; only a power cut could take it.
"""

import os
from collections import Counter
from pathlib import Path

import msgspec
from msgspec import Struct


class Entry(Struct, frozen=True, kw_only=True):
    """One accepted order. ``at`` is real Unix seconds."""

    at: float
    dialect: str
    reference: str
    prompt: str
    token: str | None = None
    idempotency_key: str | None = None


class Log:
    """Appends entries to a file."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
        self._encoder = msgspec.json.Encoder()

    def append(self, entry: Entry) -> None:
        os.write(self._file, self._encoder.encode(entry) + b"\n")

    def close(self) -> None:
        os.close(self._file)


def read_log(path: Path) -> list[Entry]:
    """Every accepted order, oldest first."""
    decoder = msgspec.json.Decoder(Entry)
    return [decoder.decode(line) for line in path.read_bytes().splitlines()] if path.exists() else []


def submits_per_token(path: Path) -> Counter[str]:
    """How often each submission was accepted, by its token (``<task id>.<submission>``)."""
    return Counter(entry.token or "" for entry in read_log(path))


def submits_per_task(path: Path) -> Counter[str]:
    """How often each task was accepted, whatever the number of its submission."""
    return Counter((entry.token or "").partition(".")[0] for entry in read_log(path))
