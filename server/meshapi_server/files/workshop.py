"""A directory of this process's own for unfinished files, on a disk that other processes use, too."""

import fcntl
import os
import shutil
from pathlib import Path

from meshapi_server.tasks import ids


class Workshop:
    """``directory`` exists between open and close. A lock file beside it tells that its process lives."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self.directory = root / ids.ulid()
        self._lock: int | None = None

    def open(self) -> None:
        """Make the directory; those of processes that are dead are removed."""
        self._root.mkdir(parents=True, exist_ok=True, mode=0o700)
        self.sweep()
        # Locked before the directory is there: who finds a directory finds its lock held.
        while (lock := _claim(self._lock_path(self.directory))) is None:
            self.directory = self._root / ids.ulid()
        self._lock = lock
        self.directory.mkdir(mode=0o700)

    def sweep(self) -> int:
        """Remove the directories of processes that are dead; returns how many."""
        found = {each.with_suffix("") for each in self._root.iterdir()}
        return sum(map(self._remove_if_dead, found - {self.directory}))

    def close(self) -> None:
        """Remove the directory and its lock."""
        shutil.rmtree(self.directory, ignore_errors=True)
        if self._lock is not None:
            self._lock_path(self.directory).unlink(missing_ok=True)
            os.close(self._lock)
            self._lock = None

    def _remove_if_dead(self, directory: Path) -> bool:
        try:
            lock = _lock_file(self._lock_path(directory))
        except BlockingIOError:
            return False
        shutil.rmtree(directory, ignore_errors=True)
        self._lock_path(directory).unlink(missing_ok=True)
        os.close(lock)
        return True

    @staticmethod
    def _lock_path(directory: Path) -> Path:
        return directory.with_name(f"{directory.name}.lock")


def _claim(path: Path) -> int | None:
    """A fresh lock file, held; None when another process swept it away before it was locked."""
    try:
        descriptor = _lock_file(path)
    except BlockingIOError:
        return None
    try:
        kept = os.path.samestat(os.fstat(descriptor), path.stat())
    except FileNotFoundError:
        kept = False
    if kept:
        return descriptor
    os.close(descriptor)
    return None


def _lock_file(path: Path) -> int:
    """An open, locked file; closing it, or the end of the process, frees it. Raises BlockingIOError."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        raise
    return descriptor
