"""Results: made in a private directory of this machine, measured, then handed to the storage."""

import asyncio
import hashlib
import shutil
from pathlib import Path
from typing import Protocol

from meshapi_server.tasks.task import Measured, StoredFile

from .local import to_the_end
from .storage import Storage, media_type, safe
from .workshop import Workshop

_SMALL = 8 * 1024 * 1024  # bytes; up to here it is cheaper to know a file again than to measure it anew


class Prober(Protocol):
    """Measures videos; what it is given may be anything."""

    async def measure(self, video: Path, sha256: str | None = None) -> Measured:
        """What the file is, or why that cannot be told. ``sha256`` tells files apart."""
        ...

    async def close(self) -> None:
        """Stop."""
        ...


class Results:
    """Implements the Files port (tasks/ports.py) on any storage. Without a prober nothing is measured."""

    def __init__(self, workshop: Workshop, storage: Storage, prober: Prober | None = None) -> None:
        self.storage = storage
        self._workshop = workshop
        self._prober = prober

    def open(self) -> None:
        """Make ready; workspaces that a killed process left behind are removed."""
        self.storage.open()
        self._workshop.open()

    async def close(self) -> None:
        """Remove this process's workspaces."""
        if self._prober is not None:
            await self._prober.close()
        self._workshop.close()

    def workspace(self, name: str) -> Path:
        """A fresh private directory for one attempt."""
        directory = self._workshop.directory / safe(name)
        shutil.rmtree(directory, ignore_errors=True)
        directory.mkdir(mode=0o700)
        return directory

    async def discard(self, workspace: Path) -> None:
        """Remove a workspace with everything in it."""
        await to_the_end(shutil.rmtree, workspace, ignore_errors=True)

    async def measure(self, video: Path) -> Measured:
        """What a file in a workspace is."""
        if self._prober is None:
            return Measured()
        small = (await asyncio.to_thread(video.stat)).st_size <= _SMALL
        sha256 = (await asyncio.to_thread(_digest, video))[0] if small else None
        return await self._prober.measure(video, sha256)

    async def adopt(self, task_id: str, name: str, source: Path) -> StoredFile:
        """Take a finished file over. When this returns, it survives a power cut."""
        sha256, size = await asyncio.to_thread(_digest, source)
        await self.storage.put(task_id, name, source)
        return StoredFile(name=name, media_type=media_type(name), size=size, sha256=sha256)

    async def remove(self, task_id: str) -> None:
        """Remove every file of a task."""
        await self.storage.remove(task_id)

    async def tidy(self, before: int) -> int:
        """Remove what kills left unfinished before ``before`` (ms); returns how many."""
        workspaces = await asyncio.to_thread(self._workshop.sweep)
        return workspaces + await self.storage.tidy(before)


def _digest(path: Path) -> tuple[str, int]:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest(), stream.tell()
