"""Callbacks say only: look now. What they claim beyond that is never used."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from aiohttp import web
from tests.upstreams.fake.script import Callbacks

from meshapi_server.tasks.clock import system_clock
from meshapi_server.upstreams.adapter import Announcement, Forged
from meshapi_server.upstreams.redaction import UpstreamFault

from .bench import Bench
from .cases import CASES, those_that

CALLING = those_that(calls_back=True)
SIGNED = [case for case in CASES if case.adapter().supports.signed_callbacks]


class Listener:
    """Where the upstream announces."""

    def __init__(self) -> None:
        self.url = ""
        self.heard: list[Announcement] = []
        self.came = asyncio.Event()

    async def hear(self, request: web.Request) -> web.Response:
        headers = {name.lower(): value for name, value in request.headers.items()}
        self.heard.append(
            Announcement(
                method=request.method,
                path=request.path,
                query=request.query_string,
                headers=headers,
                body=await request.read(),
                received_at=system_clock(),
            )
        )
        self.came.set()
        return web.Response()

    async def count(self, number: int) -> list[Announcement]:
        """Wait until so many have come."""
        async with asyncio.timeout(20):
            while len(self.heard) < number:
                self.came.clear()
                await self.came.wait()
        return self.heard


@pytest.fixture
async def listener() -> AsyncIterator[Listener]:
    found = Listener()
    app = web.Application()
    app.router.add_post("/hook", found.hear)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    found.url = f"http://127.0.0.1:{runner.addresses[0][1]}/hook"
    yield found
    await runner.cleanup()


@pytest.mark.parametrize("case", CALLING, ids=str)
async def test_every_announcement_names_the_task_to_look_at(bench: Bench, listener: Listener) -> None:
    job = bench.job(callback_url=listener.url)
    reference = (await bench.upstream.submit(job)).reference
    bench.to("succeeded")
    for announcement in await listener.count(1):
        heard = await bench.upstream.hear(announcement)
        assert heard.reference == reference
        assert heard.verified is bench.upstream.adapter.supports.signed_callbacks
        assert 200 <= heard.status < 300


@pytest.mark.parametrize("case", CALLING, ids=str)
async def test_announcements_may_come_twice_and_late(bench: Bench, listener: Listener) -> None:
    bench.fake.script.callbacks = Callbacks(twice=1.0, held=0.5, held_for=5.0)
    job = bench.job(callback_url=listener.url)
    reference = (await bench.upstream.submit(job)).reference
    bench.to("succeeded")
    bench.to("succeeded")
    announcements = await listener.count(2)
    heard = [(await bench.upstream.hear(announcement)).reference for announcement in announcements]
    assert set(heard) == {reference}


@pytest.mark.parametrize("case", CALLING, ids=str)
async def test_an_announcement_that_says_nothing_is_refused(bench: Bench) -> None:
    empty = Announcement(
        method="POST", path="/hook", query="", headers={}, body=b"[]", received_at=system_clock()
    )
    with pytest.raises((Forged, UpstreamFault)):
        await bench.upstream.hear(empty)


@pytest.mark.parametrize("case", SIGNED, ids=str)
async def test_a_changed_announcement_is_forged(bench: Bench, listener: Listener) -> None:
    await bench.upstream.submit(bench.job(callback_url=listener.url))
    bench.to("succeeded")
    (first, *_) = await listener.count(1)
    with pytest.raises(Forged):
        await bench.upstream.hear(
            Announcement(
                method=first.method,
                path=first.path,
                query=first.query,
                headers={name: value[::-1] for name, value in first.headers.items()},
                body=first.body,
                received_at=first.received_at,
            )
        )
