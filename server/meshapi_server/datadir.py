"""The data directory: made private, held by one server at a time."""

import fcntl
import os
from pathlib import Path
from types import TracebackType


class InUse(Exception):
    """Another server works on this data directory."""


class DataDirectory:
    """A directory with its lock. While it is held, every lease in its database is this process's or dead."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.database = path / "meshapi.db"
        self.development = path / "development.json"
        self._descriptor: int | None = None

    def make(self) -> None:
        """Create the directory, readable by its owner only, as is all that this process makes from now on."""
        os.umask(0o077)
        self.path.mkdir(parents=True, exist_ok=True, mode=0o700)

    def __enter__(self) -> "DataDirectory":
        self.make()
        descriptor = os.open(self.path / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            raise InUse(f"another server works on {self.path}; stop it, or use another --data") from None
        self._descriptor = descriptor
        return self

    def __exit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None
