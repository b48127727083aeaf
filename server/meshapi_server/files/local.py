"""Results on the local disk: written under a temporary name, measured, synced, renamed into place."""

import asyncio
import hashlib
import os
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from meshapi_server.tasks.task import StoredFile

from .workshop import Workshop

_SAFE = re.compile(r"^[A-Za-z0-9_-]{1,80}$")
_MEDIA_TYPES = {".mp4": "video/mp4", ".webm": "video/webm", ".png": "image/png"}

Result = TypeVar("Result")


class LocalFiles:
    """Implements the Files port (tasks/ports.py) under one directory, which several processes may share."""

    def __init__(self, root: Path) -> None:
        self._results = root / "files"
        self._workshop = Workshop(root / "work")

    def open(self) -> None:
        """Make the directories; workspaces that a killed process left behind are removed."""
        self._results.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._workshop.open()

    def close(self) -> None:
        """Remove this process's workspaces."""
        self._workshop.close()

    def workspace(self, name: str) -> Path:
        """A fresh private directory for one attempt."""
        directory = self._workshop.directory / _safe(name)
        shutil.rmtree(directory, ignore_errors=True)
        directory.mkdir(mode=0o700)
        return directory

    async def discard(self, workspace: Path) -> None:
        """Remove a workspace with everything in it."""
        await _to_the_end(shutil.rmtree, workspace, ignore_errors=True)

    async def adopt(self, task_id: str, name: str, source: Path) -> StoredFile:
        """Take a finished file over. When this returns, it survives a power cut."""
        return await _to_the_end(self._adopt, task_id, name, source)

    def _adopt(self, task_id: str, name: str, source: Path) -> StoredFile:
        directory = self._directory(task_id)
        directory.mkdir(exist_ok=True, mode=0o700)
        with source.open("rb") as stream:
            sha256 = hashlib.file_digest(stream, "sha256").hexdigest()
            size = stream.tell()
            os.fsync(stream.fileno())
        source.rename(directory / name)
        for changed in (directory, self._results):
            _sync_directory(changed)
        return StoredFile(
            name=name,
            media_type=_MEDIA_TYPES.get(Path(name).suffix, "application/octet-stream"),
            size=size,
            sha256=sha256,
        )

    async def remove(self, task_id: str) -> None:
        """Remove every file of a task."""
        await _to_the_end(shutil.rmtree, self._directory(task_id), ignore_errors=True)

    def path(self, task_id: str, name: str) -> Path | None:
        """Where a stored file is, or None when it is not there (removed, or never a name of ours)."""
        if not _SAFE.match(task_id) or "/" in name or name.startswith("."):
            return None
        path = self._directory(task_id) / name
        return path if path.is_file() else None

    def _directory(self, task_id: str) -> Path:
        return self._results / _safe(task_id)


async def _to_the_end(work: Callable[..., Result], *values: Any, **options: Any) -> Result:
    """Run ``work`` on a thread. A cancelled caller waits for its end: no file moves behind its back."""
    running = asyncio.ensure_future(asyncio.to_thread(work, *values, **options))
    try:
        return await asyncio.shield(running)
    except asyncio.CancelledError:
        await asyncio.wait({running})
        raise


def _safe(name: str) -> str:
    if not _SAFE.match(name):
        raise ValueError(f"not a file name of ours: {name!r}")
    return name


def _sync_directory(directory: Path) -> None:
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
