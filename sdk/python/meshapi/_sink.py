"""Where a download goes: a file that appears whole or not at all, or somebody's open file."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from ._download import Finished, Restart
from .errors import DownloadError


@dataclass(frozen=True, slots=True)
class DownloadResult:
    """A download that arrived whole. ``path`` is None where it went to an open file; ``size`` is bytes.

    ``verified`` is true when the server told a SHA-256 and the bytes had it.
    """

    path: Path | None
    size: int
    sha256: str
    verified: bool


class Sink:
    """Takes the parts of a download."""

    def __init__(self, file: BinaryIO, path: Path | None) -> None:
        self._file = file
        self._path = path
        self._finished: Finished | None = None
        self._start = file.tell() if _can_rewind(file) else None

    def take(self, part: bytes | Restart | Finished) -> None:
        """Write bytes, begin anew, or note that all is there."""
        if isinstance(part, bytes):
            self._file.write(part)
        elif isinstance(part, Finished):
            self._finished = part
        elif self._start is None:
            raise DownloadError("the file changed while it was downloaded, and the output cannot be rewound")
        else:
            self._file.seek(self._start)
            self._file.truncate()

    def result(self) -> DownloadResult:
        """What arrived."""
        if self._finished is None:
            raise DownloadError("the download ended before it was whole")
        return DownloadResult(self._path, self._finished.size, self._finished.sha256, self._finished.verified)


@contextmanager
def sink_for(to: str | os.PathLike[str] | BinaryIO) -> Iterator[Sink]:
    """A sink for a path (written beside it and renamed at the end) or for an open binary file."""
    if not isinstance(to, str | os.PathLike):
        yield Sink(_binary(to), None)
        return
    path = Path(to)
    if path.is_dir():
        raise DownloadError(
            f"{os.fspath(path)!r} is a directory; name a file, such as {os.fspath(path / 'video.mp4')!r}"
        )
    part = path.with_name(f".{path.name}.{secrets.token_hex(4)}.part")
    try:
        with part.open("xb") as file:
            sink = Sink(file, path)
            yield sink
        sink.result()
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def _can_rewind(file: BinaryIO) -> bool:
    seekable = getattr(file, "seekable", None)
    return bool(seekable and seekable())


def bytes_only(part: object) -> bytes:
    """The bytes of a part, for those who cannot begin anew."""
    if isinstance(part, bytes):
        return part
    raise DownloadError("the file changed while it was downloaded; begin again")


def _binary(file: BinaryIO) -> BinaryIO:
    if not callable(getattr(file, "write", None)) or hasattr(file, "encoding"):
        raise DownloadError(f"a download goes to a path or a file opened in binary mode, got {file!r}")
    return file
