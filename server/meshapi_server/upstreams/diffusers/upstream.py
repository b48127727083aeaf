"""Diffusers folders as a local upstream: pictures fitted, frames made in a child, the video encoded here."""

import asyncio
from pathlib import Path

import structlog

from meshapi_renderer.sizes import nearest_ratio
from meshapi_server.upstreams.card import Upstream
from meshapi_server.upstreams.contract import (
    ContentItem,
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
from meshapi_server.upstreams.limits import ADAPTIVE

from . import film
from .cards import PROVIDER, upstream_card
from .child.meshapi_diffusion.protocol import Done, Failed, Render, Step
from .configuration import Configuration
from .folder import ModelFolder
from .process import OrderFailed
from .request import order, pictures, size
from .seats import Seats

log = structlog.get_logger("meshapi.diffusers")


class Diffusers:
    """Implements LocalUpstream (upstreams/contract.py) for every folder of a configuration."""

    name = PROVIDER

    def __init__(self, configuration: Configuration, fetch: FetchInput) -> None:
        self.limits = Limits(tasks=configuration.tasks)
        self._folders = {folder.name: folder for folder in configuration.folders}
        self._fetch = fetch
        self._seats = Seats(configuration.python, configuration.devices, configuration.idle)

    @property
    def card(self) -> Upstream:
        """The cards of the folders, in the place of a card file."""
        return upstream_card(tuple(self._folders.values()))

    async def close(self) -> None:
        """End every child."""
        await self._seats.close()

    async def render(self, job: Job, workspace: Path, report: Report) -> Rendered:
        """Make the video in ``workspace``.

        Raises Rejected for inputs of no use, for too little memory and for what the pipeline refuses;
        ChildDied when the child was killed: the same job may be started again. Cancelled, it stops the
        child's work at its next step.
        """
        folder = self._folders.get(job.model)
        if folder is None:
            raise Rejected(_error(f"The model {job.model!r} is not served by this server any more."))
        wanted = await self._ordered(job, folder, workspace)
        done, device = await self._made(wanted, folder, report)
        video = workspace / "video.mp4"
        last_frame = workspace / "last_frame.png" if job.spec.return_last_frame else None
        extent = (done.width, done.height)
        await asyncio.to_thread(
            film.encode, Path(wanted.output), extent, done.frames, wanted.fps, video, last_frame
        )
        log.info("video made", task=job.task_id, device=device, frames=done.frames)
        return Rendered(video=video, facts=_facts(job, wanted, done), last_frame=last_frame)

    async def _ordered(self, job: Job, folder: ModelFolder, workspace: Path) -> Render:
        """Fetch the pictures, decide the size by the first one, and bring them to it."""
        given = pictures(job)
        raw = {role: workspace / f"input-{item.index}" for role, item in given.items()}
        for role, item in given.items():
            await self._bring(item, raw[role])
        try:
            return await asyncio.to_thread(_prepared, job, folder, given, raw, workspace)
        except film.InvalidInput as problem:
            raise _invalid(str(problem)) from None

    async def _bring(self, item: ContentItem, target: Path) -> None:
        try:
            await self._fetch(item.url or "", target)
        except InputUnavailable as problem:
            raise _invalid(f"content[{item.index}]: {problem}") from None

    async def _made(self, wanted: Render, folder: ModelFolder, report: Report) -> tuple[Done, str]:
        async def on_step(step: Step) -> None:
            # One more for what follows the last step: the decoding of the latents, and of the frames.
            await report(step.done / (step.total + 1))

        try:
            async with self._seats.child(folder.path) as child:
                device = await child.ready()
                await report(0.0)
                return await child.render(wanted, on_step), device
        except OrderFailed as fault:
            reason = {"code": fault.failure.code, "fault": str(fault), "trace": fault.trace}
            log.warning("no video made", model=folder.name, **reason)
            raise Rejected(_task_error(fault.failure, wanted)) from None


def _prepared(
    job: Job, folder: ModelFolder, given: dict[str, ContentItem], raw: dict[str, Path], workspace: Path
) -> Render:
    fields = {role: f"content[{item.index}] ({role})" for role, item in given.items()}
    first = film.picture_size(raw["first_frame"], fields["first_frame"]) if "first_frame" in raw else None
    extent = size(job, folder, first)
    fitted = {role: workspace / f"{role}.png" for role in given}
    for role, target in fitted.items():
        film.fit_picture(raw[role], fields[role], extent, target)
    return order(job, folder, extent, fitted, workspace / "frames.rgb")


def _facts(job: Job, wanted: Render, done: Done) -> Facts:
    ratio = job.spec.ratio
    return Facts(
        seed=job.seed,
        resolution=job.spec.resolution,
        ratio=nearest_ratio(done.width, done.height) if ratio == ADAPTIVE else ratio,
        duration=round(done.frames / wanted.fps, 3),
        frames=done.frames,
        fps=wanted.fps,
        width=done.width,
        height=done.height,
        audio=False,
        cost_usd="0",
    )


def _task_error(failure: Failed, wanted: Render) -> TaskError:
    """The child's failure in words for the caller; the operator's log has all of it."""
    if failure.code == "out_of_memory":
        asked = f"{wanted.frames} frames of {wanted.width}x{wanted.height}"
        message = f"There is not enough memory for {asked}; ask for a lower resolution or a shorter video."
        return _error(message, code="out_of_memory")
    if failure.code == "refused":
        return _error(f"The pipeline does not take this request: {failure.message}", code="refused")
    if failure.code == "not_loaded":
        return _error("The model cannot be loaded; the operator's log has the reason.", code="not_loaded")
    return _error("The pipeline failed; the operator's log has the reason.", code="broken")


def _error(message: str, *, code: str | None = None) -> TaskError:
    return TaskError(code="upstream_error", message=message, provider_code=code, charged="no")


def _invalid(message: str) -> Rejected:
    return Rejected(TaskError(code="invalid_input", message=message))
