"""From an upstream's local files to the operator's storage, before a task may succeed (wire.md section 9)."""

from collections.abc import Awaitable, Callable

import structlog

from meshapi_server.upstreams.contract import Rendered

from .comparison import differences, facts_of
from .ports import Files, Store
from .task import Claim, Outcome, Task

log = structlog.get_logger("meshapi.files")

VIDEO_NAMES = {".mp4": "video.mp4", ".webm": "video.webm"}
LAST_FRAME_NAME = "last_frame.png"


async def adopt(
    files: Files, claim: Claim, rendered: Rendered, confirm: Callable[[], Awaitable[None]]
) -> Outcome:
    """Measure the rendered files and move them into storage; returns the outcome that names them.

    ``confirm`` raises when the claim is lost. It is asked after the measuring, which may take a while: what
    another worker stored meanwhile must not be replaced.
    """
    measured = await files.measure(rendered.video)
    await confirm()
    name = VIDEO_NAMES.get(rendered.video.suffix, VIDEO_NAMES[".mp4"])
    video = await files.adopt(claim.task.id, name, rendered.video)
    last_frame = None
    if rendered.last_frame is not None:
        last_frame = await files.adopt(claim.task.id, LAST_FRAME_NAME, rendered.last_frame)
    route = claim.task.routes[claim.schedule.route] if claim.task.routes else None
    asked = (route.spec if route else None) or claim.task.spec
    return Outcome(
        facts=facts_of(rendered.facts, measured.probed),
        video=video,
        last_frame=last_frame,
        probed=measured.probed,
        warnings=differences(asked, measured, has_last_frame=last_frame is not None),
    )


async def drop_files(store: Store, files: Files, task: Task) -> None:
    """Remove the files of an ended task that is about to be deleted; a fault is only logged (see below)."""
    if task.outcome.video is None:
        await drop_unneeded(store, files, task.id)
    else:
        await _remove(files, task.id)


async def drop_unneeded(store: Store, files: Files, task_id: str) -> None:
    """Remove the files of a task that ended without them, or was deleted: whoever adopted them, also an
    attempt that died before it could say so.

    A task that another attempt works on, or has finished, keeps its files. A fault is only logged: what
    stays is a leftover, which a sweep removes.
    """
    try:
        unneeded = await store.unneeded_files([task_id])
    except Exception as fault:  # noqa: BLE001 - what the caller has done is done
        log.warning("files of a task stay until they are swept", task=task_id, fault=repr(fault))
        return
    for each in unneeded:
        await _remove(files, each)


async def _remove(files: Files, task_id: str) -> None:
    try:
        await files.remove(task_id)
    except Exception as fault:  # noqa: BLE001 - the store's record leaves them to the sweeper
        log.warning("files of a task stay until they are swept", task=task_id, fault=repr(fault))


def workspace_name(claim: Claim) -> str:
    """A directory name that no other attempt uses."""
    return f"{claim.task.id}-{claim.schedule.attempt}"
