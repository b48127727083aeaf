"""Results in a directory of this machine, or on a disk that several machines mount.

``<root>/<task>/<name>``; what is not finished yet lies under ``<root>/.incoming``.
"""

import asyncio
import errno
import os
import shutil
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

import structlog

from meshapi_server.tasks import ids

from .storage import BLOCK, LABEL, StorageFault, is_safe, is_safe_file, safe

log = structlog.get_logger("meshapi.files")

_BATCH = 500
_INCOMING = ".incoming"
# Reads what is in the page cache and nothing else; where there is no such thing, every block takes a thread.
_FROM_CACHE: int | None = getattr(os, "RWF_NOWAIT", None)

Result = TypeVar("Result")


class LocalStorage:
    """Implements Storage (storage.py) under one directory, which several processes may share."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def open(self) -> None:
        """Make the directory."""
        self._root.mkdir(parents=True, exist_ok=True, mode=0o700)

    async def put(self, task_id: str, name: str, source: Path) -> None:
        """Move the file here; when this returns, it survives a power cut."""
        await to_the_end(self._put, task_id, name, source)

    def _put(self, task_id: str, name: str, source: Path) -> None:
        directory = self._directory(task_id)
        if not is_safe_file(name):
            raise ValueError(f"not a file name of ours: {name!r}")
        directory.mkdir(exist_ok=True, mode=0o700)
        _sync_file(source)
        try:
            source.rename(directory / name)
        except OSError as fault:
            if fault.errno != errno.EXDEV:
                raise
            self._bring(source).rename(directory / name)
        for changed in (directory, self._root):
            _sync_directory(changed)

    def _bring(self, source: Path) -> Path:
        """Copy a file of another disk to this one, under a name that nobody looks for."""
        incoming = self._root / _INCOMING
        incoming.mkdir(exist_ok=True, mode=0o700)
        copy = incoming / ids.ulid()
        try:
            shutil.copyfile(source, copy)
            _sync_file(copy)
        except BaseException:
            copy.unlink(missing_ok=True)
            raise
        source.unlink()
        return copy

    async def read(self, task_id: str, name: str, first: int, last: int) -> AsyncGenerator[bytes, None]:
        """The bytes of a file (see the port)."""
        path = self.path(task_id, name)
        if path is None:
            raise FileNotFoundError(name)
        descriptor = await asyncio.to_thread(os.open, path, os.O_RDONLY | os.O_CLOEXEC)
        try:
            while first <= last:
                wanted = min(BLOCK, last + 1 - first)
                block = _cached(descriptor, wanted, first) or await asyncio.to_thread(
                    os.pread, descriptor, wanted, first
                )
                if not block:
                    raise StorageFault(f"{name} of {task_id} ends at {first}, before {last}")
                first += len(block)
                yield block
        finally:
            os.close(descriptor)

    async def size(self, task_id: str, name: str) -> int | None:
        """How many bytes the file has."""
        path = self.path(task_id, name)
        try:
            return None if path is None else path.stat().st_size
        except FileNotFoundError:
            return None

    async def remove(self, task_id: str) -> None:
        """Remove every file of a task."""
        await to_the_end(self._remove, self._directory(task_id))

    @staticmethod
    def _remove(directory: Path) -> None:
        fault: OSError | None = None
        try:
            shutil.rmtree(directory)
        except OSError as problem:  # also when another process removes it at the same time
            fault = problem
            shutil.rmtree(directory, ignore_errors=True)
        if os.path.lexists(directory):
            raise StorageFault(f"the files of {directory.name} stay: {fault}")

    async def tasks(self, before: int) -> AsyncIterator[Sequence[str]]:
        """The ids of tasks with nothing but old files (see the port)."""
        names = await asyncio.to_thread(self._old, before / 1000)
        for start in range(0, len(names), _BATCH):
            yield names[start : start + _BATCH]

    def _old(self, before: float) -> list[str]:
        """Whatever is renamed into a directory changes its time, so that of the directory tells of all."""
        with os.scandir(self._root) as entries:
            return [
                entry.name
                for entry in entries
                if is_safe(entry.name) and entry.is_dir(follow_symlinks=False) and _changed(entry) < before
            ]

    async def weigh(self, task_ids: Sequence[str]) -> int:
        """How many bytes the files of these tasks have together."""
        return await asyncio.to_thread(lambda: sum(map(self._weight, task_ids)))

    def _weight(self, task_id: str) -> int:
        try:
            with os.scandir(self._directory(task_id)) as entries:
                return sum(entry.stat(follow_symlinks=False).st_size for entry in entries)
        except OSError:  # removed meanwhile, or not for us to read: a count for a report is not worth a fault
            return 0

    async def tidy(self, before: int) -> int:
        """Remove old files that were on their way from another disk."""
        return await to_the_end(self._tidy, before / 1000)

    def _tidy(self, before: float) -> int:
        removed = 0
        for path in (self._root / _INCOMING).glob("*"):
            try:
                if path.lstat().st_mtime < before:
                    path.unlink()
                    removed += 1
            except OSError as fault:  # gone meanwhile, or tried again by the next sweep
                log.warning("an unfinished file stays", path=str(path), fault=str(fault))
        return removed

    async def link(self, task_id: str, name: str, seconds: int) -> str | None:
        """A directory has no URLs."""
        return None

    async def label(self, fresh: str | None) -> str | None:
        """The label in the directory (see the port)."""
        return await asyncio.to_thread(self._label, fresh)

    def _label(self, fresh: str | None) -> str | None:
        path = self._root / LABEL
        known = path.read_text("ascii", "replace") if path.is_file() else ""
        if known or fresh is None:
            return known or None
        written = self._root / f"{LABEL}-{ids.ulid()}"
        written.write_text(fresh, "ascii")
        written.rename(path)
        return fresh

    def path(self, task_id: str, name: str) -> Path | None:
        """Where a stored file is, or None when it is not there (removed, or never a name of ours)."""
        if not is_safe(task_id) or not is_safe_file(name):
            return None
        path = self._directory(task_id) / name
        return path if path.is_file() else None

    def _directory(self, task_id: str) -> Path:
        return self._root / safe(task_id)


async def to_the_end(work: Callable[..., Result], *values: Any, **options: Any) -> Result:
    """Run ``work`` on a thread. A cancelled caller waits for its end: no file moves behind its back."""
    running = asyncio.ensure_future(asyncio.to_thread(work, *values, **options))
    try:
        return await asyncio.shield(running)
    except asyncio.CancelledError:
        await asyncio.wait({running})
        raise


def _cached(descriptor: int, wanted: int, offset: int) -> bytes | None:
    """A block that needs no disk; None when it has to be fetched, which would hold up everybody else."""
    if _FROM_CACHE is None:
        return None
    block = bytearray(wanted)
    try:
        length = os.preadv(descriptor, [block], offset, _FROM_CACHE)
    except OSError:  # not in the cache, or a file system that cannot tell
        return None
    return bytes(block) if length == wanted else bytes(memoryview(block)[:length])


def _changed(entry: "os.DirEntry[str]") -> float:
    try:
        return entry.stat(follow_symlinks=False).st_mtime
    except FileNotFoundError:
        return float("inf")


def _sync_file(path: Path) -> None:
    _sync(path, os.O_RDONLY)


def _sync_directory(directory: Path) -> None:
    _sync(directory, os.O_RDONLY | os.O_DIRECTORY)


def _sync(path: Path, flags: int) -> None:
    descriptor = os.open(path, flags)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
