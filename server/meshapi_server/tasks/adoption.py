"""From an upstream's local files to the operator's storage, before a task may succeed (wire.md section 9)."""

from meshapi_server.upstreams.contract import Rendered

from .ports import Files, Store
from .task import Claim, Outcome

VIDEO_NAMES = {".mp4": "video.mp4", ".webm": "video.webm"}
LAST_FRAME_NAME = "last_frame.png"


async def adopt(files: Files, task_id: str, rendered: Rendered) -> Outcome:
    """Move the rendered files into storage; returns the outcome that names them."""
    name = VIDEO_NAMES.get(rendered.video.suffix, VIDEO_NAMES[".mp4"])
    video = await files.adopt(task_id, name, rendered.video)
    last_frame = None
    if rendered.last_frame is not None:
        last_frame = await files.adopt(task_id, LAST_FRAME_NAME, rendered.last_frame)
    return Outcome(facts=rendered.facts, video=video, last_frame=last_frame)


async def drop_unwanted(store: Store, files: Files, claim: Claim) -> None:
    """Remove what was adopted for a task that ended without it, or is gone: by this attempt, or by an
    earlier one that died before it could say so.

    A task that another attempt works on, or has finished, keeps its files.
    """
    task = await store.get(claim.task.owner, claim.task.id)
    if task is None or (task.ended and task.outcome.video is None):
        await files.remove(claim.task.id)


def workspace_name(claim: Claim) -> str:
    """A directory name that no other attempt uses."""
    return f"{claim.task.id}-{claim.schedule.attempt}"
