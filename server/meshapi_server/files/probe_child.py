"""The process that opens videos of strangers. Reads paths as JSON lines, answers one line for each.

It may use little memory and time, writes no file, opens few, and starts nothing. Only two containers are
read, each by its own reader: of the many that FFmpeg knows, some follow addresses that the file names.
"""

import contextlib
import ctypes
import os
import resource
import sys
from fractions import Fraction
from pathlib import Path
from typing import BinaryIO

import av
import msgspec
from av.container import InputContainer

from meshapi_server.tasks.task import Measured, Probed

_MEMORY = 2 * 1024**3  # bytes of address space, most of which the libraries take
_CPU_SECONDS = 20  # for one file
_FILES = 32
_PACKETS = 200_000  # counted where the container does not say how many frames there are
_NO_NEW_PRIVILEGES = 38  # PR_SET_NO_NEW_PRIVS, Linux


def main() -> None:
    """Answer until the input ends."""
    answers = _own_output()
    _limit()
    answers.write(b"ready\n")
    answers.flush()
    for line in sys.stdin.buffer:
        _allow(_CPU_SECONDS)
        answers.write(msgspec.json.encode(measure(Path(msgspec.json.decode(line, type=str)))) + b"\n")
        answers.flush()


def measure(video: Path) -> Measured:
    """What a file is, or why that cannot be told."""
    container = _container(video)
    if container is None:
        return Measured(problem="it is neither MP4 nor WebM")
    try:
        return _read(video, container)
    except (av.FFmpegError, ValueError, OverflowError, ZeroDivisionError, MemoryError, LookupError) as fault:
        return Measured(problem=f"it cannot be read ({type(fault).__name__})")


def _read(video: Path, container: str) -> Measured:
    # Opened here and handed over as a stream: the reader has no name that it could follow to anything else.
    with video.open("rb") as file, _opened(file, container) as opened:
        if not opened.streams.video:
            return Measured(problem="it has no picture")
        stream = opened.streams.video[0]
        stream.thread_type = "NONE"
        picture = next(opened.decode(stream), None)
        if picture is None:
            return Measured(problem="it has no picture")
        rate = stream.average_rate or stream.guessed_rate
        seconds = _seconds(stream.duration, stream.time_base)
        seconds = seconds or _seconds(opened.duration, Fraction(1, av.time_base))
        declared, codec, audio = stream.frames, stream.codec_context.name, bool(opened.streams.audio)
    frames = _count(video, container)
    if seconds is None:
        seconds = float(frames / rate) if frames and rate else 0.0
    probed = Probed(
        width=picture.width,
        height=picture.height,
        duration=seconds,
        codec=codec,
        audio=audio,
        frames=frames,
        fps=float(rate) if rate else None,
    )
    cut = frames is not None and frames < declared
    return Measured(
        probed=probed, problem=f"only {frames} of its {declared} frames are there" if cut else None
    )


def _count(video: Path, container: str) -> int | None:
    """The frames that there are, whatever the file says; None when there are too many to count."""
    with video.open("rb") as file, _opened(file, container) as opened:
        count = 0
        for packet in opened.demux(opened.streams.video[0]):
            count += packet.size > 0 and not packet.is_corrupt
            if count > _PACKETS:
                return None
        return count


def _opened(file: BinaryIO, container: str) -> InputContainer:
    return av.open(file, mode="r", format=container)


def _container(video: Path) -> str | None:
    with video.open("rb") as file:
        begin = file.read(12)
    if begin[4:8] == b"ftyp":
        return "mp4"
    return "matroska" if begin[:4] == b"\x1aE\xdf\xa3" else None


def _seconds(ticks: int | None, base: Fraction | None) -> float | None:
    return float(ticks * base) if ticks and base else None


def _own_output() -> BinaryIO:
    """The pipe for answers; what a library prints goes nowhere."""
    answers = os.fdopen(os.dup(1), "wb")
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    return answers


def _limit() -> None:
    av.logging.set_level(None)
    for what, most in (
        (resource.RLIMIT_AS, _MEMORY),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_NOFILE, _FILES),
        (resource.RLIMIT_CORE, 0),
    ):
        _, hard = resource.getrlimit(what)
        bound = most if hard == resource.RLIM_INFINITY else min(most, hard)
        try:
            resource.setrlimit(what, (bound, bound))
        except ValueError:
            if sys.platform == "linux":  # elsewhere some of them cannot be set
                raise
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(_NO_NEW_PRIVILEGES, 1, 0, 0, 0)


def _allow(seconds: int) -> None:
    """Let this process compute for so long from now; then the system ends it."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    spent = int(used.ru_utime + used.ru_stime) + 1
    _, hard = resource.getrlimit(resource.RLIMIT_CPU)
    resource.setrlimit(resource.RLIMIT_CPU, (spent + seconds, hard))


if __name__ == "__main__":
    main()
