"""Files that appear whole or not at all: written beside their place, then renamed into it."""

from __future__ import annotations

import contextlib
import os
import threading
from pathlib import Path

from meshapi_renderer.job import InvalidInput


class Outputs:
    """The files of one job while they are being written.

    Safe to `discard` from another thread at any moment: afterwards nothing is left of the job, and
    nothing new can be begun.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._drafts: dict[Path, Path] = {}
        self._closed = False

    def begin(self, path: str, field: str) -> Path:
        """Create and return the temporary file that will become `path`.

        Raises:
            InvalidInput: the folder is missing or cannot be written, or `path` is a folder.
        """
        final = Path(path)
        if final.is_dir():
            raise InvalidInput(field, "is a folder; a file name is needed")
        draft = final.with_name(f".{final.name}.{os.getpid()}.part")
        with self._lock:
            if self._closed:
                raise RuntimeError("the job was stopped")
            try:
                draft.touch()
            except OSError as error:
                raise InvalidInput(field, f"cannot be written: {error.strerror or error}") from error
            self._drafts[draft] = final
        return draft

    def commit(self) -> None:
        """Rename all files into their places, replacing what was there."""
        with self._lock:
            for draft, final in self._drafts.items():
                draft.replace(final)
            self._drafts.clear()

    def discard(self) -> None:
        """Remove what is not yet in place and refuse anything new."""
        with self._lock:
            self._closed = True
            for draft in self._drafts:
                with contextlib.suppress(OSError):
                    draft.unlink(missing_ok=True)
            self._drafts.clear()
