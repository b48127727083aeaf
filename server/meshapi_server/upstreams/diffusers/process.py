"""The child that holds one pipeline on one device: started, talked to, and never left behind."""

import asyncio
import contextlib
import os
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path

import structlog

from .child.meshapi_diffusion.protocol import (
    Command,
    Done,
    Event,
    Failed,
    Garbled,
    Ready,
    Render,
    Step,
    Stop,
    Stopped,
    decode,
    encode,
)

log = structlog.get_logger("meshapi.diffusers")

_CHILD = Path(__file__).with_name("child")
_LINE_LIMIT = 1 << 20
_ERRORS_KEPT = 8_000  # characters of the child's stderr that go into a fault
_LAST_WORDS = 2.0  # s for the child to end by itself
_LAST_FAILURES = frozenset(("not_loaded", "out_of_memory"))  # after these the child ends

# What a Python process and its accelerator need; no key of the server's reaches the child.
_KEPT = frozenset(
    ("PATH", "HOME", "TMPDIR", "TEMP", "TMP", "LANG", "LC_ALL", "LC_CTYPE", "SYSTEMROOT", "LD_LIBRARY_PATH")
)
_KEPT_FAMILIES = ("CUDA_", "NVIDIA_", "HIP_", "ROCR_", "HSA_", "PYTORCH_", "TORCH_", "OMP_", "MKL_", "NCCL_")


class ChildDied(Exception):
    """The child ended without a word of its own: killed, or a defect. The order may be given again."""


class OrderFailed(Exception):
    """The child says why it made no video. ``failure`` has its code and words, ``trace`` what it printed."""

    def __init__(self, failure: Failed, trace: str) -> None:
        super().__init__(failure.message)
        self.failure = failure
        self.trace = trace


def environment(base: Mapping[str, str]) -> dict[str, str]:
    """The child's environment, made from the server's. The network's hub is out of bounds."""
    kept = {name: base[name] for name in base if name in _KEPT or name.startswith(_KEPT_FAMILIES)}
    offline = {"HF_HUB_OFFLINE": "1", "TRANSFORMERS_OFFLINE": "1", "HF_HUB_DISABLE_TELEMETRY": "1"}
    return {**kept, **offline, "TQDM_DISABLE": "1", "PYTHONPATH": str(_CHILD), "PYTHONUNBUFFERED": "1"}


class Child:
    """One process, one pipeline, one order at a time."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self._events: asyncio.Queue[Event | None] = asyncio.Queue()  # None: no more
        self._errors = ""
        self._device = ""
        self._unfinished: str | None = None
        self._spent = False
        self._pumps = (asyncio.create_task(self._hear()), asyncio.create_task(self._keep_errors()))

    @classmethod
    async def start(cls, python: str, folder: Path, device: str) -> "Child":
        """Start a child; it begins to load the pipeline of the folder."""
        process = await asyncio.create_subprocess_exec(
            *(python, "-m", "meshapi_diffusion", str(folder), device),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env=environment(os.environ),
            cwd=_CHILD,  # where nothing lies that could be imported in the place of a library
            limit=_LINE_LIMIT,
            start_new_session=True,  # Ctrl-C in the server's terminal is the server's to handle
        )
        log.info("child started", pid=process.pid, folder=str(folder), device=device)
        return cls(process)

    @property
    def pid(self) -> int:
        """The process."""
        return self._process.pid

    @property
    def alive(self) -> bool:
        """Whether the process can take another order."""
        return self._process.returncode is None and not self._spent

    @property
    def busy(self) -> bool:
        """Whether an order is under way, wanted or not."""
        return self._unfinished is not None

    async def ready(self) -> str:
        """Wait until the pipeline is loaded; the device that it is on. Raises OrderFailed or ChildDied."""
        while not self._device:
            event = await self._next()
            if isinstance(event, Ready):
                self._device = event.device
            elif isinstance(event, Failed):
                raise OrderFailed(event, self._errors)
        return self._device

    async def render(self, order: Render, on_step: Callable[[Step], Awaitable[None]]) -> Done:
        """Carry out one order. Raises OrderFailed or ChildDied.

        Cancelled, it leaves the order under way; ``stop`` ends it.
        """
        self._unfinished = order.id
        await self._say(order)
        while True:
            event = await self._next()
            if isinstance(event, Step) and event.id == order.id:
                await on_step(event)
            elif isinstance(event, Done | Failed):
                self._unfinished = None
                if isinstance(event, Failed):
                    raise OrderFailed(event, self._errors)
                return event

    async def stop(self) -> None:
        """End the order under way at its next step, and return when it has ended. Raises ChildDied."""
        if self._unfinished is None:
            return
        await self._say(Stop(self._unfinished))
        while not isinstance(await self._next(), Done | Failed | Stopped):
            pass
        self._unfinished = None

    async def end(self, *, at_once: bool = False) -> None:
        """End the process. Without an order it ends by itself when its input does."""
        if at_once or self.busy:
            self._kill()
        if self._process.stdin is not None:
            self._process.stdin.close()
        try:
            await asyncio.wait_for(asyncio.shield(self._process.wait()), _LAST_WORDS)
        except TimeoutError:
            self._kill()
            await self._process.wait()
        await asyncio.gather(*self._pumps, return_exceptions=True)
        log.info("child ended", pid=self.pid)

    def _kill(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            self._process.kill()

    async def _say(self, command: Command) -> None:
        if self._process.stdin is None:
            raise ChildDied("the child has no pipes")
        try:
            self._process.stdin.write(encode(command))
            await self._process.stdin.drain()
        except (BrokenPipeError, ConnectionResetError):
            raise ChildDied(await self._obituary()) from None

    async def _next(self) -> Event:
        event = await self._events.get()
        if event is None:
            self._events.put_nowait(None)  # for whoever asks again
            raise ChildDied(await self._obituary())
        self._spent |= isinstance(event, Failed) and event.code in _LAST_FAILURES
        return event

    async def _obituary(self) -> str:
        code = await self._process.wait()
        await asyncio.gather(*self._pumps, return_exceptions=True)
        return f"the child ended with code {code}: {self._errors.strip() or 'no message'}"

    async def _hear(self) -> None:
        try:
            if self._process.stdout is not None:
                async for line in self._process.stdout:
                    with contextlib.suppress(Garbled):
                        event = decode(line)
                        if isinstance(event, Ready | Step | Done | Stopped | Failed):
                            self._events.put_nowait(event)
        except ValueError:
            self._kill()  # a line without end: nothing that follows could be told apart
        finally:
            self._events.put_nowait(None)

    async def _keep_errors(self) -> None:
        if self._process.stderr is not None:
            while chunk := await self._process.stderr.read(4096):
                self._errors = (self._errors + chunk.decode("utf-8", "replace"))[-_ERRORS_KEPT:]
