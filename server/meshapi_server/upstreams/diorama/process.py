"""The renderer's child process: started, listened to, and never left behind."""

import asyncio
import os
from collections.abc import Awaitable, Callable

from meshapi_renderer import job as protocol

_LINE_LIMIT = 1 << 20
_GRACE_SECONDS = 3.0
_ERRORS_KEPT = 8_000  # characters of the child's stderr that go into a fault


class RenderCrash(Exception):
    """The child ended without a word of its own: killed, out of memory, or a defect."""


async def render(
    job: protocol.Job, on_progress: Callable[[protocol.Progress], Awaitable[None]]
) -> protocol.Done | protocol.Failed:
    """Run one job. Cancelling this coroutine stops the child and waits for its end. Raises RenderCrash."""
    process = await asyncio.create_subprocess_exec(
        *protocol.command(),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env=protocol.environment(os.environ),
        limit=_LINE_LIMIT,
        start_new_session=True,  # Ctrl-C in the server's terminal is the server's to handle
    )
    errors = asyncio.create_task(_tail(process))
    try:
        return await _converse(process, job, on_progress, errors)
    finally:
        await _end(process)
        errors.cancel()


async def _converse(
    process: asyncio.subprocess.Process,
    job: protocol.Job,
    on_progress: Callable[[protocol.Progress], Awaitable[None]],
    errors: "asyncio.Task[str]",
) -> protocol.Done | protocol.Failed:
    if process.stdin is None or process.stdout is None:
        raise RenderCrash("the child has no pipes")
    # The input stays open after the job: its end tells the child that this process is gone.
    process.stdin.write(job.to_json().encode() + b"\n")
    await process.stdin.drain()
    async for line in process.stdout:
        event = protocol.decode_event(line)
        if isinstance(event, protocol.Progress):
            await on_progress(event)
        elif isinstance(event, protocol.Done | protocol.Failed):
            return event
    code = await process.wait()
    raise RenderCrash(f"the renderer ended with code {code}: {(await errors).strip() or 'no message'}")


async def _tail(process: asyncio.subprocess.Process) -> str:
    kept = ""
    if process.stderr is not None:
        while chunk := await process.stderr.read(4096):
            kept = (kept + chunk.decode("utf-8", "replace"))[-_ERRORS_KEPT:]
    return kept


async def _end(process: asyncio.subprocess.Process) -> None:
    if process.stdin is not None:
        process.stdin.close()
    try:
        await asyncio.wait_for(asyncio.shield(process.wait()), _GRACE_SECONDS)
    except TimeoutError:
        process.kill()
        await process.wait()
