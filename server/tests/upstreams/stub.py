"""A server that answers what a test tells it to, and an adapter whose talks a test writes."""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any

from aiohttp import web

from meshapi_server.upstreams.adapter import (
    Abilities,
    Accepted,
    Adapter,
    Job,
    Limits,
    Look,
    Progress,
    Result,
    Talk,
)
from meshapi_server.upstreams.contract import ContentItem, Spec
from meshapi_server.upstreams.http import HttpRequest, HttpResponse, get, post

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Stub:
    """Every request goes to ``answer`` and is kept."""

    def __init__(self, answer: Handler) -> None:
        self.answer = answer
        self.url = ""
        self.requests: list[web.Request] = []

    async def handle(self, request: web.Request) -> web.StreamResponse:
        await request.read()  # kept by the request
        self.requests.append(request)
        return await self.answer(request)


@asynccontextmanager
async def stub(answer: Handler) -> AsyncIterator[Stub]:
    """A stub that listens on loopback."""
    served = Stub(answer)
    app = web.Application(client_max_size=1 << 26)
    app.router.add_route("*", "/{path:.*}", served.handle)
    runner = web.AppRunner(app, handler_cancellation=True, shutdown_timeout=0.2)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    served.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield served
    finally:
        await runner.cleanup()


class Plain(Adapter):
    """The simplest protocol; tests replace its talks."""

    name = "plain"
    base_url = "http://127.0.0.1:1"
    limits = Limits(tasks=1)
    abilities = Abilities()

    def submit(self, job: Job) -> Talk[Accepted]:
        response = yield post("/videos", {"prompt": job.spec.prompt})
        return Accepted(reference=response.object()["id"])

    def poll(self, looks: Sequence[Look]) -> Talk[Sequence[Progress | Exception]]:
        response = yield get("/videos/1")
        return [Progress(state=response.object()["state"])]

    def result(self, look: Look) -> Talk[Result]:
        yield from ()
        return Result(video=get("/file"))


def job(*items: ContentItem, **spec: Any) -> Job:
    """A job with a prompt, or with these items."""
    content = items or (ContentItem(kind="text", index=0, text="a lake"),)
    return Job(
        task_id="task_1",
        attempt=1,
        submission=1,
        model="plain-1",
        spec=Spec(model="plain/1", content=content, **spec),
        seed=spec.get("seed") or 0,
        submitted_at=0,
    )


def look(**spec: Any) -> Look:
    return Look(reference="1", job=job(**spec))


def perform(talk: Talk[Any], *responses: HttpResponse) -> tuple[list[HttpRequest], Any]:
    """Perform a talk with these answers, without a network: what it asked, and its outcome."""
    asked = []
    try:
        asked.append(next(talk))
        for response in responses:
            asked.append(talk.send(response))  # noqa: PERF401 - what came before an end is kept
    except StopIteration as end:
        return asked, end.value
    raise AssertionError("the talk goes on")
