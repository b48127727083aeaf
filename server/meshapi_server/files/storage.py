"""What a place for results has to offer; one suite of tests runs over every implementation."""

import re
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from pathlib import Path, PurePosixPath
from typing import Protocol

BLOCK = 128 * 1024  # bytes that are in memory at once for each download
LABEL = ".meshapi-storage"  # the name under which a storage says whose it is

_SAFE = re.compile(r"\A[A-Za-z0-9_-]{1,80}\Z")
_SAFE_FILE = re.compile(r"\A[A-Za-z0-9_-][A-Za-z0-9_.-]{0,79}\Z")
_MEDIA_TYPES = {".mp4": "video/mp4", ".webm": "video/webm", ".png": "image/png"}


class StorageFault(Exception):
    """The storage did not do what it was asked; the message is for the operator's log."""


class Storage(Protocol):
    """Files of tasks by the task's id and the file's name. A file appears whole or not at all."""

    def open(self) -> None:
        """Make ready. Raises OSError or StorageFault."""
        ...

    async def put(self, task_id: str, name: str, source: Path) -> None:
        """Take a local file over; it replaces one of the same name. When this returns, it is durable."""
        ...

    def read(self, task_id: str, name: str, first: int, last: int) -> AsyncGenerator[bytes, None]:
        """The bytes from ``first`` to ``last``, both included, in blocks of about BLOCK bytes.

        Raises FileNotFoundError before the first block, StorageFault when it cannot go on.
        """
        ...

    async def size(self, task_id: str, name: str) -> int | None:
        """How many bytes the file has; None when it is not there."""
        ...

    async def remove(self, task_id: str) -> None:
        """Remove every file of a task; nothing happens when there is none.

        Raises StorageFault when something stays; as much as can be removed is removed all the same.
        """
        ...

    def tasks(self, before: int) -> AsyncIterator[Sequence[str]]:
        """The ids of tasks whose files are all older than ``before`` (ms since the epoch), in batches."""
        ...

    async def weigh(self, task_ids: Sequence[str]) -> int:
        """How many bytes the files of these tasks have together."""
        ...

    async def tidy(self, before: int) -> int:
        """Remove unfinished files older than ``before`` (ms) that a kill left; returns how many."""
        ...

    async def link(self, task_id: str, name: str, seconds: int) -> str | None:
        """A URL that opens the file at the storage itself for so long; None where there is no such thing."""
        ...

    async def label(self, fresh: str | None) -> str | None:
        """The label of this storage; ``fresh``, if given, becomes it when there is none."""
        ...


def is_safe(name: str) -> bool:
    """Whether a task's id can be one of ours, so that it names a folder and nothing else."""
    return bool(_SAFE.match(name))


def is_safe_file(name: str) -> bool:
    """Whether a file's name can be one of ours."""
    return bool(_SAFE_FILE.match(name))


def safe(name: str) -> str:
    """The name, if it is safe. Raises ValueError."""
    if not is_safe(name):
        raise ValueError(f"not a file name of ours: {name!r}")
    return name


def media_type(name: str) -> str:
    """What a file holds, by the name that it is stored under."""
    return _MEDIA_TYPES.get(PurePosixPath(name).suffix, "application/octet-stream")
