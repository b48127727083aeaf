"""Upstreams that do what a test tells them, behind the two protocols of upstreams/contract.py."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path

from meshapi_server.upstreams.contract import (
    Abilities,
    Accepted,
    Facts,
    Job,
    Limits,
    Look,
    Progress,
    Rendered,
    Report,
)

Submit = Callable[[Job], Awaitable[Accepted]]
Poll = Callable[[str, Job], Awaitable[Progress]]
Fetch = Callable[[Path], Awaitable[Rendered]]
Draw = Callable[[Path, Report], Awaitable[Rendered]]


async def accept(job: Job) -> Accepted:
    return Accepted(reference=f"up-{job.task_id}", look_again_in=0.0)


async def succeed(reference: str, job: Job) -> Progress:
    return Progress(state="succeeded", fraction=1.0)


async def deliver(workspace: Path) -> Rendered:
    video = workspace / "made.mp4"
    video.write_bytes(b"a video")
    return Rendered(video=video, facts=Facts(seed=7, frames=48, fps=24))


async def draw(workspace: Path, report: Report) -> Rendered:
    await report(0.5)
    return await deliver(workspace)


class ScriptedRemote:
    """A remote upstream; counts how often it is asked."""

    name = "sandbox"

    def __init__(
        self,
        *,
        submit: Submit = accept,
        poll: Poll = succeed,
        fetch: Fetch = deliver,
        capacity: int = 10,
        abilities: Abilities = Abilities(cancels=True),
    ) -> None:
        self.limits = Limits(tasks=capacity)
        self.abilities = abilities
        self.submits: list[Job] = []
        self.polls = 0
        self.cancelled: list[str] = []
        self._submit, self._poll, self._fetch = submit, poll, fetch

    async def submit(self, job: Job) -> Accepted:
        self.submits.append(job)
        return await self._submit(job)

    async def find(self, job: Job) -> Accepted | None:
        raise AssertionError("not among its abilities")

    async def poll(self, looks: Sequence[Look]) -> Sequence[Progress | Exception]:
        self.polls += len(looks)
        return [await self._poll(look.reference, look.job) for look in looks]

    async def fetch(self, reference: str, job: Job, workspace: Path) -> Rendered:
        return await self._fetch(workspace)

    async def cancel(self, reference: str, job: Job) -> bool:
        self.cancelled.append(reference)
        return True


class ScriptedLocal:
    """A local upstream; ``stopped`` counts the renders that were broken off."""

    name = "mesh"

    def __init__(self, draw: Draw = draw, *, capacity: int = 2) -> None:
        self.limits = Limits(tasks=capacity)
        self.begun: list[Job] = []
        self.stopped = 0
        self._draw = draw

    async def render(self, job: Job, workspace: Path, report: Report) -> Rendered:
        self.begun.append(job)
        try:
            return await self._draw(workspace, report)
        except asyncio.CancelledError:
            self.stopped += 1
            raise


async def never(*_: object) -> Rendered:
    await asyncio.Event().wait()
    raise AssertionError("unreachable")
