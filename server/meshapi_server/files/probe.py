"""Measuring videos that anybody may have made: in child processes that can do no harm and take no time.

A file that breaks its reader, or holds it up, costs that child its life and the video a warning.
"""

import asyncio
import json
import os
import sys
from collections import OrderedDict
from pathlib import Path

import msgspec
import structlog

from meshapi_server.tasks.task import Measured, Probed

log = structlog.get_logger("meshapi.files")

_CHILDREN = 2
_SECONDS = 10.0  # for one file
_START_SECONDS = 30.0  # for a child to be ready, on a machine that is busy
_IDLE_SECONDS = 60.0  # after which a child that nobody needs ends
_REMEMBERED = 64  # files of which the answer is known: many tasks of a test bring the same one
_LINE = 64 * 1024
# The child finds packages where this process does, and not where its own variables say.
_BEGIN = (
    "import json, sys; sys.path[:] = json.loads(sys.argv[1]);"
    " from meshapi_server.files.probe_child import main; main()"
)
_decode = msgspec.json.Decoder(Measured).decode


class ProbeBroken(Exception):
    """The child ended, or did not answer in time."""


class ProbeMissing(Exception):
    """No child can be started. That says nothing of the video."""


class Probe:
    """Implements Prober (results.py). Children are started when they are needed."""

    def __init__(self, seconds: float = _SECONDS, idle_seconds: float = _IDLE_SECONDS) -> None:
        self._seconds = seconds
        self._children = [_Child(seconds, idle_seconds) for _ in range(_CHILDREN)]
        self._free = asyncio.LifoQueue[_Child]()  # the one used last is running
        for child in self._children:
            self._free.put_nowait(child)
        self._known: OrderedDict[str, Measured] = OrderedDict()

    async def measure(self, video: Path, sha256: str | None = None) -> Measured:
        """What the file at an absolute path is; one of a digest that is known is not opened again."""
        if sha256 is not None and sha256 in self._known:
            self._known.move_to_end(sha256)
            return self._known[sha256]
        child = await self._free.get()
        try:
            measured = await child.ask(video)
        except ProbeBroken as fault:
            log.warning("a video broke its reader", file=video.name, fault=str(fault))
            return Measured(problem=f"reading it {fault}")
        except ProbeMissing as fault:
            log.error("videos are not measured: their reader does not start", fault=str(fault))
            return Measured()
        finally:
            self._free.put_nowait(child)
        if sha256 is not None:
            self._known[sha256] = measured
            while len(self._known) > _REMEMBERED:
                self._known.popitem(last=False)
        return measured

    async def close(self) -> None:
        """End the children."""
        await asyncio.gather(*(child.end() for child in self._children))


class _Child:
    """One process that answers one question at a time."""

    def __init__(self, seconds: float, idle_seconds: float) -> None:
        self._seconds = seconds
        self._idle_seconds = idle_seconds
        self._process: asyncio.subprocess.Process | None = None
        self._idle: asyncio.TimerHandle | None = None
        self._ending: set[asyncio.Task[None]] = set()

    async def ask(self, video: Path) -> Measured:
        """Have it read a file. Raises ProbeBroken, ProbeMissing; the next question gets another process."""
        if self._idle is not None:
            self._idle.cancel()
        try:
            return await self._answer(await self._running(), video)
        except (TimeoutError, ConnectionError, ValueError, msgspec.DecodeError) as fault:
            await self._kill()
            took = isinstance(fault, TimeoutError)
            reason = f"took more than {self._seconds:g} s" if took else "failed"
            raise ProbeBroken(reason) from None
        except BaseException:
            await self._kill()  # its next answer would be to this question
            raise
        finally:
            self._idle = asyncio.get_running_loop().call_later(self._idle_seconds, self._rest)

    async def _answer(self, process: asyncio.subprocess.Process, video: Path) -> Measured:
        if process.stdin is None or process.stdout is None:
            raise ConnectionError
        async with asyncio.timeout(self._seconds):
            process.stdin.write(msgspec.json.encode(str(video)) + b"\n")
            await process.stdin.drain()
            line = await process.stdout.readline()
        if not line:
            raise ConnectionResetError
        measured = _decode(line)
        return (
            measured
            if _plausible(measured.probed)
            else Measured(problem="it says impossible things of itself")
        )

    async def _running(self) -> asyncio.subprocess.Process:
        if self._process is not None and self._process.returncode is None:
            return self._process
        try:
            return await self._start()
        except OSError as fault:
            raise ProbeMissing(repr(fault)) from None

    async def _start(self) -> asyncio.subprocess.Process:
        # What reads files of strangers gets no environment of the server's, which holds keys.
        process = self._process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-I",
            "-c",
            _BEGIN,
            json.dumps([each for each in sys.path if Path(each).is_absolute()]),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
            env={
                name: os.environ[name] for name in ("PATH", "LANG", "LD_LIBRARY_PATH") if name in os.environ
            },
            limit=_LINE,
            start_new_session=True,
        )
        if process.stdout is not None:
            async with asyncio.timeout(_START_SECONDS):
                if not await process.stdout.readline():  # it says when it is ready
                    raise ConnectionResetError("it ended at once")
        return process

    def _rest(self) -> None:
        process, self._process = self._process, None  # at once: the next question must not get it
        ending = asyncio.ensure_future(_end(process))
        self._ending.add(ending)
        ending.add_done_callback(self._ending.discard)

    async def _kill(self) -> None:
        process, self._process = self._process, None
        await _end(process)

    async def end(self) -> None:
        """End the process."""
        if self._idle is not None:
            self._idle.cancel()
        await self._kill()


async def _end(process: asyncio.subprocess.Process | None) -> None:
    if process is not None:
        if process.returncode is None:
            process.kill()
        await process.wait()


def _plausible(probed: Probed | None) -> bool:
    """A child that was taken over may answer anything; what is told on must at least be a size and a time."""
    return probed is None or (
        0 < probed.width <= 1 << 16
        and 0 < probed.height <= 1 << 16
        and 0 <= probed.duration <= 1e6
        and (probed.frames is None or 0 <= probed.frames <= 1 << 32)
        and (probed.fps is None or 0 < probed.fps <= 1e4)
        and len(probed.codec) <= 40
        and probed.codec.isprintable()
    )
