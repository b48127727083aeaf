"""Upstreams that do what a test tells them, behind the two protocols of upstreams/contract.py."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from decimal import Decimal
from pathlib import Path

from meshapi_server.tasks.ports import Prepared
from meshapi_server.tasks.price import NANO_PER_DOLLAR, Price, Tariff
from meshapi_server.tasks.spec import ContentItem, Spec
from meshapi_server.tasks.task import Route, TaskError
from meshapi_server.upstreams.contract import (
    Abilities,
    Accepted,
    Facts,
    Job,
    Limits,
    Look,
    Progress,
    Rate,
    Rendered,
    Report,
)

Submit = Callable[[Job], Awaitable[Accepted]]
Find = Callable[[Job], Awaitable[Accepted | None]]
Poll = Callable[[str, Job], Awaitable[Progress]]
Looks = Callable[[Sequence[Look]], Awaitable[Sequence[Progress | Exception]]]
Cancel = Callable[[str], Awaitable[bool]]
Fetch = Callable[[Path], Awaitable[Rendered]]
Draw = Callable[[Path, Report], Awaitable[Rendered]]

CANCELS = Abilities(cancels=True)
RESENDS = Abilities(cancels=True, resends=True)
FINDS = Abilities(cancels=True, finds=True)
NOTHING = Abilities()


REFUSAL = TaskError(code="content_policy_violation", message="No.", charged="no")
PICTURE = "data:image/png;base64," + "A" * 5_000


def with_picture(url: str = PICTURE) -> tuple[ContentItem, ...]:
    """Content with an inline picture that is too long to be kept in the task itself."""
    return (
        ContentItem(kind="text", index=0, text="a lake"),
        ContentItem(kind="image", index=1, url=url, role="first_frame"),
    )


async def accept(job: Job) -> Accepted:
    return Accepted(reference=f"up-{job.task_id}", look_again_in=0.0)


async def lose(job: Job) -> Accepted:
    """The connection breaks after the question was sent."""
    raise ConnectionResetError("in the middle")


async def unseen(job: Job) -> Accepted | None:
    return None


async def succeed(reference: str, job: Job) -> Progress:
    return Progress(state="succeeded", fraction=1.0)


async def running(reference: str, job: Job) -> Progress:
    return Progress(state="running", fraction=0.5, look_again_in=60)


async def stop(reference: str) -> bool:
    return True


async def deliver(workspace: Path) -> Rendered:
    video = workspace / "made.mp4"
    video.write_bytes(b"a video")
    return Rendered(video=video, facts=Facts(seed=7, frames=48, fps=24))


async def draw(workspace: Path, report: Report) -> Rendered:
    await report(0.5)
    return await deliver(workspace)


async def never(*_: object) -> Rendered:
    await asyncio.Event().wait()
    raise AssertionError("unreachable")


class Gate:
    """Calls that are answered when the test opens it."""

    def __init__(self, answer: Submit = accept) -> None:
        self._asked, self._open = asyncio.Event(), asyncio.Event()
        self._answer = answer

    async def __call__(self, job: Job) -> Accepted:
        self._asked.set()
        await self._open.wait()
        return await self._answer(job)

    async def asked(self) -> None:
        """Wait until somebody stands at the gate."""
        async with asyncio.timeout(20):
            await self._asked.wait()

    def open(self) -> None:
        self._open.set()


class ScriptedRemote:
    """A remote upstream that remembers what it was asked."""

    def __init__(
        self,
        name: str = "sandbox",
        *,
        submit: Submit = accept,
        find: Find = unseen,
        poll: Poll = succeed,
        looks: Looks | None = None,
        fetch: Fetch = deliver,
        cancel: Cancel = stop,
        capacity: int = 10,
        submits: Rate | None = None,
        polls: Rate | None = None,
        abilities: Abilities = CANCELS,
    ) -> None:
        self.name = name
        self.limits = Limits(tasks=capacity, submits=submits, polls=polls)
        self.abilities = abilities
        self.submits: list[Job] = []
        self.finds: list[Job] = []
        self.looks: list[tuple[str, ...]] = []  # the references of each call
        self.cancelled: list[str] = []
        self._submit, self._find, self._poll, self._looks = submit, find, poll, looks
        self._fetch, self._cancel = fetch, cancel

    @property
    def polls(self) -> int:
        """How many tasks were looked at, each time counted."""
        return sum(map(len, self.looks))

    async def submit(self, job: Job) -> Accepted:
        self.submits.append(job)
        return await self._submit(job)

    async def find(self, job: Job) -> Accepted | None:
        assert self.abilities.finds, "not among its abilities"
        self.finds.append(job)
        return await self._find(job)

    async def poll(self, looks: Sequence[Look]) -> Sequence[Progress | Exception]:
        assert len(looks) <= self.abilities.looks_at_once, "more than it can look at"
        self.looks.append(tuple(look.reference for look in looks))
        if self._looks is not None:
            return await self._looks(looks)
        return [await self._poll(look.reference, look.job) for look in looks]

    async def fetch(self, reference: str, job: Job, workspace: Path) -> Rendered:
        return await self._fetch(workspace)

    async def cancel(self, reference: str, job: Job) -> bool:
        assert self.abilities.cancels, "not among its abilities"
        self.cancelled.append(reference)
        return await self._cancel(reference)


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


class ScriptedModels:
    """A catalogue in which a model's maker names the upstreams that serve it, in their order.

    ``sandbox/any`` goes to ``sandbox``, and ``first+second/any`` to ``first`` or else to ``second``.
    """

    def __init__(self, usual_seconds: float | None = None, tariff: Tariff | None = None) -> None:
        self.usual_seconds = usual_seconds
        self.tariff = tariff

    def prepare(self, spec: Spec) -> Prepared:
        upstreams, _, name = spec.model.partition("/")
        routes = tuple(
            Route(
                upstream=upstream,
                model=f"{upstream}/{name}",
                upstream_model=name,
                usual_seconds=self.usual_seconds,
                tariff=self.tariff,
            )
            for upstream in upstreams.split("+")
        )
        cost = None if self.tariff is None else Decimal(self.tariff.most) / NANO_PER_DOLLAR
        return Prepared(spec=spec, unsupported=(), routes=routes, price=Price(cost_usd=cost))
