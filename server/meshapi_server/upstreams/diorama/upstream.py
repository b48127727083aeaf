"""The built-in model as a local upstream: inputs fetched, one child process per render."""

from pathlib import Path

from meshapi_renderer import job as protocol
from meshapi_server.upstreams.contract import (
    Facts,
    FetchInput,
    InputUnavailable,
    Job,
    Limits,
    Rejected,
    Rendered,
    Report,
    TaskError,
)

from . import process
from .request import images, render_job


class Diorama:
    """Implements LocalUpstream (upstreams/contract.py). ``capacity`` renders run at once."""

    name = "mesh"

    def __init__(self, fetch: FetchInput, *, capacity: int, threads: int) -> None:
        self.limits = Limits(tasks=capacity)
        self._fetch = fetch
        self._threads = threads

    async def render(self, job: Job, workspace: Path, report: Report) -> Rendered:
        """Make the video in ``workspace``. Raises Rejected with ``invalid_input`` for inputs of no use."""
        paths = {}
        for item in images(job):
            paths[item.index] = workspace / f"input-{item.index}"
            await self._bring(item.url or "", item.index, paths[item.index])
        try:
            wanted = render_job(job, paths, workspace, self._threads)
        except protocol.InvalidInput as problem:
            raise _invalid(str(problem)) from None

        async def progress(event: protocol.Progress) -> None:
            await report(event.done / event.total if event.total else None)

        ended = await process.render(wanted, progress)
        if isinstance(ended, protocol.Failed):
            if ended.code == "invalid_input":
                raise _invalid(_in_callers_terms(ended.message, job))
            raise process.RenderCrash(ended.message)
        return _rendered(ended)

    async def _bring(self, url: str, index: int, target: Path) -> None:
        try:
            await self._fetch(url, target)
        except InputUnavailable as problem:
            raise _invalid(f"content[{index}]: {problem}") from None


def _rendered(done: protocol.Done) -> Rendered:
    video = done.video
    facts = Facts(
        seed=done.seed,
        resolution=video.resolution,
        ratio=video.ratio,
        duration=video.duration,
        frames=video.frames,
        fps=video.fps,
        width=video.width,
        height=video.height,
        audio=video.has_audio,
        cost_usd="0",
        plan=done.plan,
    )
    last_frame = Path(done.last_frame.path) if done.last_frame else None
    return Rendered(video=Path(video.path), facts=facts, last_frame=last_frame)


def _invalid(message: str) -> Rejected:
    return Rejected(TaskError(code="invalid_input", message=message))


def _in_callers_terms(message: str, job: Job) -> str:
    """The renderer names its own fields; the caller knows the content items they came from."""
    field, _, problem = message.partition(": ")
    used = images(job)
    references = [item for item in used if item.role == "reference_image"]
    fields = {str(item.role): item for item in used if item.role != "reference_image"}
    fields |= {f"reference_images[{number}]": item for number, item in enumerate(references)}
    return f"content[{fields[field].index}] ({fields[field].role}) {problem}" if field in fields else message
