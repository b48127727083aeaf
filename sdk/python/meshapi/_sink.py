"""Where a download goes: a file that appears whole or not at all, or somebody's open file."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from ._download import Begun, Finished, Kept, Restart
from ._part import Origin, Part
from .errors import APIStatusError, DownloadError, MeshAPIError, TaskFailedError


@dataclass(frozen=True, slots=True)
class DownloadResult:
    """A download that arrived whole. ``path`` is None where it went to an open file; ``size`` is bytes.

    ``verified`` is true when the server told a SHA-256 and the bytes had it. ``resumed`` is how many bytes
    were there already, from a download that broke off earlier.
    """

    path: Path | None
    size: int
    sha256: str
    verified: bool
    resumed: int = 0
    request_id: str | None = None


class Sink:
    """Takes the parts of a download."""

    def __init__(self, file: BinaryIO, path: Path | None, part: Part | None = None) -> None:
        self._file = file
        self._path = path
        self._part = part
        self._finished: Finished | None = None
        self._start = 0 if part is not None else file.tell() if _can_rewind(file) else None

    @property
    def kept(self) -> Kept | None:
        """What an earlier process has left of the same result."""
        return self._part.kept if self._part is not None else None

    def take(self, part: bytes | Restart | Begun | Finished) -> None:
        """Write bytes, begin anew, note what they can be recognised by, or that all is there."""
        if isinstance(part, bytes):
            self._file.write(part)
        elif isinstance(part, Finished):
            self._finished = part
        elif isinstance(part, Begun):
            if self._part is not None:
                self._part.note(part)
        elif self._start is None:
            raise DownloadError("the file changed while it was downloaded, and the output cannot be rewound")
        else:
            self._file.seek(self._start)
            self._file.truncate()

    def result(self) -> DownloadResult:
        """What arrived."""
        end = self._finished
        if end is None:
            raise DownloadError("the download ended before it was whole")
        return DownloadResult(self._path, end.size, end.sha256, end.verified, end.resumed, end.request_id)


@contextmanager
def sink_for(to: str | os.PathLike[str] | BinaryIO, origin: Origin) -> Iterator[Sink]:
    """A sink for a path (written beside it and renamed at the end) or for an open binary file."""
    if not isinstance(to, str | os.PathLike):
        yield Sink(_binary(to), None)
        return
    path = Path(to)
    if path.is_dir():
        raise DownloadError(
            f"{os.fspath(path)!r} is a directory; name a file, such as {os.fspath(path / 'video.mp4')!r}"
        )
    part = Part(path, origin)
    try:
        sink = Sink(part.file, path, part)
        yield sink
        sink.result()
        part.finish()
    except BaseException as error:
        kept = part.leave(keep=not _is_final(error))
        if kept and isinstance(error, MeshAPIError):
            size = part.path.stat().st_size
            error.message += f"; its first {size} bytes are kept, and downloading it again goes on from there"
        raise


def _is_final(error: BaseException) -> bool:
    """Whether another download of the same result could not go on, either."""
    gone = isinstance(error, APIStatusError) and error.status in {404, 410}
    return gone or isinstance(error, TaskFailedError)


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
