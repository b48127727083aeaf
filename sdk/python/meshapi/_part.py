"""A file on its way: ``.name.part`` beside the goal, and what is needed to go on with it in another process.

``.name.part.json`` says which result the bytes belong to (server, task, variant) and how to tell later
whether they still fit: the strong ETag, the SHA-256 and the size that the server named. Without ETag and
SHA-256 nothing is kept. One process at a time holds the part, by a lock that dies with it; a second one
takes a part of its own, which it does not keep.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from ._download import Begun, Kept

_CHUNK = 1 << 20


@dataclass(frozen=True, slots=True)
class Origin:
    """Which result a file holds."""

    server: str
    task_id: str
    variant: str


class Part:
    """An open part. ``kept`` is what an earlier process has left in it, None for nothing of use."""

    def __init__(self, goal: Path, origin: Origin) -> None:
        self._goal = goal
        self._origin = origin
        self._path = goal.with_name(f".{goal.name}.part")
        shared = _locked(self._path)
        self._notes: Path | None = None
        if shared is None:
            self._path = goal.with_name(f".{goal.name}.{secrets.token_hex(4)}.part")
            self.file: BinaryIO = self._path.open("xb")
        else:
            self.file = shared
            self._notes = self._path.with_name(f"{self._path.name}.json")
        self.kept = self._earlier()
        if self.kept is None:
            self.file.truncate(0)
            self.file.seek(0)

    @property
    def path(self) -> Path:
        """Where the bytes are now."""
        return self._path

    def note(self, begun: Begun) -> None:
        """Write down what the bytes to come can be recognised by."""
        if self._notes is None:
            return
        if begun.etag is None and begun.sha256 is None:
            self._notes.unlink(missing_ok=True)
            return
        facts = {
            "server": self._origin.server,
            "task_id": self._origin.task_id,
            "variant": self._origin.variant,
            "etag": begun.etag,
            "sha256": begun.sha256,
            "size": begun.size,
        }
        fresh = self._notes.with_name(f"{self._notes.name}.{secrets.token_hex(4)}")
        fresh.write_text(json.dumps(facts, indent=2) + "\n", "utf-8")
        fresh.replace(self._notes)

    def finish(self) -> None:
        """Give the file its name."""
        self.file.flush()
        if os.name == "nt":  # an open file cannot be renamed there
            self.file.close()
        self._path.replace(self._goal)
        self._forget()

    def leave(self, *, keep: bool) -> bool:
        """Give up; tell whether the bytes are kept for another time."""
        with contextlib.suppress(OSError):  # a disk that is full; what was written before still counts
            self.file.flush()
        kept = keep and self._notes is not None and self._notes.exists() and self._path.stat().st_size > 0
        if not kept:
            if os.name == "nt":
                self.file.close()
            self._path.unlink(missing_ok=True)
            self._forget()
        self.file.close()
        return kept

    def _forget(self) -> None:
        if self._notes is not None:
            self._notes.unlink(missing_ok=True)
        self.file.close()

    def _earlier(self) -> Kept | None:
        """What is there, if it is of this result and can be recognised later."""
        if self._notes is None:
            return None
        try:
            facts = json.loads(self._notes.read_text("utf-8"))
        except (OSError, ValueError):
            return None
        match facts:
            case {"server": server, "task_id": task_id, "variant": variant} if (
                Origin(server, task_id, variant) == self._origin
            ):
                begun = Begun(_text(facts.get("etag")), _text(facts.get("sha256")), _size(facts.get("size")))
            case _:
                return None
        digest, received = hashlib.sha256(), 0
        self.file.seek(0)
        while chunk := self.file.read(_CHUNK):
            digest.update(chunk)
            received += len(chunk)
        if not received or (begun.etag is None and begun.sha256 is None):
            return None
        return Kept(begun, received, digest)


def _locked(path: Path) -> BinaryIO | None:
    """The part, open and held by this process alone; None where that cannot be."""
    # Its name can be foretold, so a link that somebody has put there is not followed.
    flags = os.O_RDWR | os.O_CREAT | getattr(os, "O_BINARY", 0) | getattr(os, "O_NOFOLLOW", 0)
    while True:
        try:
            file = os.fdopen(os.open(path, flags, 0o666), "r+b")
        except OSError:
            return None  # somebody else's; a directory that takes no files shows when the next one is made
        if not _lock(file):
            file.close()
            return None
        try:
            same = os.path.samestat(path.stat(), os.fstat(file.fileno()))
        except FileNotFoundError:
            same = False
        if same:
            return file
        file.close()  # its holder has just finished and given it its name


if os.name == "nt":  # pragma: no cover

    def _lock(file: BinaryIO) -> bool:
        import msvcrt

        try:
            # Far behind any content: a lock over the bytes would keep them from being read.
            file.seek(1 << 40)
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined, unused-ignore]
        except OSError:
            return False
        finally:
            file.seek(0)
        return True

else:

    def _lock(file: BinaryIO) -> bool:
        import fcntl

        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return False
        return True


def _text(value: object) -> str | None:
    return value if isinstance(value, str) and value else None


def _size(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None
