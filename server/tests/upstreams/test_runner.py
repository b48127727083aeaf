"""The runner: what it sends, to whom, how often, and what it makes of trouble."""

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from meshapi_server.tasks.clock import system_clock
from meshapi_server.upstreams.adapter import Accepted, Job, Login, Result, Talk
from meshapi_server.upstreams.contract import (
    ContentItem,
    Deferred,
    InputUnavailable,
    Look,
    Rejected,
    RemoteUpstream,
    Unserved,
)
from meshapi_server.upstreams.credentials import Credentials
from meshapi_server.upstreams.http import HttpRequest, decode_data_uri, get, post
from meshapi_server.upstreams.redaction import UpstreamFault
from meshapi_server.upstreams.runner import HttpUpstream
from meshapi_server.upstreams.transport import Timeouts

from .stub import Plain, job, look, stub

KEY = Credentials({"key": "k-0123456789"})


def json(value: Any, status: int = 200) -> Any:
    async def answer(_: web.Request) -> web.Response:
        return web.json_response(value, status=status)

    return answer


def upstream(adapter: Plain, url: str, **options: Any) -> HttpUpstream:
    return HttpUpstream(adapter, KEY, system_clock, base_url=url, **options)


async def test_an_adapter_becomes_a_remote_upstream() -> None:
    async with stub(json({"id": "v1"})) as server:
        made: RemoteUpstream = upstream(Plain(), server.url)
        assert await made.submit(job()) == Accepted(reference="v1")
        (asked,) = server.requests
        assert asked.headers["authorization"] == "Bearer k-0123456789"
        assert await asked.read() == b'{"prompt":"a lake"}'


async def test_every_paid_call_has_a_connection_of_its_own() -> None:
    ports: set[int] = set()

    async def answer(request: web.Request) -> web.Response:
        assert request.transport is not None
        ports.add(request.transport.get_extra_info("peername")[1])
        return web.json_response({"id": "v1", "state": "queued"})

    async with stub(answer) as server:
        made = upstream(Plain(), server.url)
        for _ in range(3):
            await made.submit(job())
        assert len(ports) == 3
        for _ in range(3):
            await made.poll([look()])
        assert len(ports) == 4
        await made.close()


@pytest.mark.parametrize("method", ["PUT", "GET"])
async def test_a_paid_call_that_could_be_repeated_underneath_is_not_sent(method: str) -> None:
    class Wrong(Plain):
        def submit(self, job: Job) -> Talk[Accepted]:
            yield HttpRequest(method=method, url="/videos")
            return Accepted(reference="x")

    async with stub(json({})) as server:
        with pytest.raises(Unserved) as raised:
            await upstream(Wrong(), server.url).submit(job())
        assert raised.value.error.code == "internal_error"
        assert server.requests == []


async def test_an_adapter_that_asks_twice_is_stopped_and_the_outcome_is_open() -> None:
    class Twice(Plain):
        def submit(self, job: Job) -> Talk[Accepted]:
            yield post("/videos", {})
            yield post("/videos", {})
            return Accepted(reference="x")

    async with stub(json({})) as server:
        with pytest.raises(UpstreamFault, match="asked twice"):
            await upstream(Twice(), server.url).submit(job())
        assert len(server.requests) == 1


class Uploading(Plain):
    """Uploads before it asks."""

    def submit(self, job: Job) -> Talk[Accepted]:
        response = yield post("/uploads", {}, harmless=True)
        upload = response.object()["id"]
        response = yield post("/videos", {"upload": upload})
        return Accepted(reference=response.object()["id"])


@pytest.mark.parametrize("trouble", ["cut", "garbled"])
async def test_trouble_before_anything_was_bought_only_defers(trouble: str) -> None:
    async def answer(request: web.Request) -> web.Response:
        if trouble == "cut" and request.transport is not None:
            request.transport.abort()
        return web.Response(text="<html>")

    async with stub(answer) as server:
        with pytest.raises(Deferred):
            await upstream(Uploading(), server.url).submit(job())
        assert {asked.path for asked in server.requests} == {"/uploads"}


async def test_a_fault_of_the_adapter_before_it_asked_is_certain() -> None:
    class Broken(Plain):
        def submit(self, job: Job) -> Talk[Accepted]:
            raise KeyError("role")
            yield post("/videos")

    with pytest.raises(Unserved) as raised:
        await upstream(Broken(), "http://127.0.0.1:1").submit(job())
    assert raised.value.error.code == "internal_error"
    assert raised.value.error.charged == "no"


async def test_a_paid_call_is_not_begun_without_time_for_its_answer() -> None:
    async def answer(request: web.Request) -> web.Response:
        if request.path == "/uploads":
            await asyncio.sleep(0.45)
        return web.json_response({"id": "v1"})

    class Slow(Plain):
        def submit(self, job: Job) -> Talk[Accepted]:
            for _ in range(2):
                yield post("/uploads", {}, harmless=True)
            yield post("/videos", {})
            return Accepted(reference="x")

    async with stub(answer) as server:
        made = upstream(Slow(), server.url, timeouts=Timeouts(connect=1.0, total=1.6))
        with pytest.raises(Deferred):
            await made.submit(job())
        assert "/videos" not in {asked.path for asked in server.requests}


async def test_an_answer_larger_than_the_limit_is_no_answer() -> None:
    class Small(Plain):
        largest_answer = 1000

    async with stub(json({"id": "x" * 2000})) as server:
        with pytest.raises(UpstreamFault, match="larger than 1000 bytes"):
            await upstream(Small(), server.url).submit(job())


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_a_call_follows_no_redirect(status: int) -> None:
    async def answer(request: web.Request) -> web.Response:
        return web.Response(status=status, headers={"location": "/elsewhere"})

    async with stub(answer) as server:
        with pytest.raises(UpstreamFault):
            await upstream(Plain(), server.url).submit(job())
        assert [asked.path for asked in server.requests] == ["/videos"]


async def test_credentials_go_to_no_other_host() -> None:
    class Elsewhere(Plain):
        def poll(self, looks: Any) -> Any:
            yield get("http://localhost:1/videos/1")
            return []

    async with stub(json({})) as server:
        with pytest.raises(UpstreamFault, match="would send its credentials to http://localhost:1"):
            await upstream(Elsewhere(), server.url).poll([look()])


@pytest.mark.parametrize(
    ("url", "own"),
    [
        ("https://api.acme.example/v1/x", True),
        ("https://cdn.acme.example/x", True),
        ("https://acme.example/x", True),
        ("http://acme.example/x", False),
        ("https://evilacme.example/x", False),
        ("https://acme.example.evil.test/x", False),
        ("https://acme.example@evil.test/x", False),
        ("http://10.0.0.3:8000/v1", True),
        ("http://10.0.0.3:8001/v1", False),
    ],
)
def test_which_urls_are_the_upstreams_own(url: str, own: bool) -> None:
    class Spread(Plain):
        hosts = ("acme.example", "http://10.0.0.3:8000")

    made = upstream(Spread(), "https://api.acme.example/v1")
    sent = made._headers(url, get(url))
    assert ("authorization" in sent) is own


async def test_a_token_is_got_once_and_again_when_it_ends() -> None:
    class Tokens(Plain):
        def login(self, credentials: Credentials, now: int) -> Talk[Login]:
            response = yield post("/token", {"key": credentials["key"]})
            return Login(token=response.object()["token"], expires_at=response.object()["expires_at"])

        def authorise(self, request: HttpRequest, credentials: Credentials, now: int) -> Mapping[str, str]:
            return {"x-token": credentials["token"]}

    now, issued = 1_000_000, 0

    async def answer(request: web.Request) -> web.Response:
        nonlocal issued
        if request.path == "/token":
            assert "x-token" not in request.headers
            issued += 1
            return web.json_response({"token": f"token-{issued}", "expires_at": now + 3_600_000})
        return web.json_response({"state": "running", "seen": request.headers["x-token"]})

    async with stub(answer) as server:
        made = HttpUpstream(Tokens(), KEY, lambda: now, base_url=server.url)
        await made.poll([look()])
        await made.poll([look()])
        assert issued == 1
        now += 3_590_000
        await made.poll([look()])
        assert issued == 2
        assert server.requests[-1].headers["x-token"] == "token-2"
        await made.close()


PNG = b"\x89PNG\r\n\x1a\n-and-more"
FRAME = ContentItem(kind="image", index=1, url="http://images.example/a.png", role="first_frame")
TEXT = ContentItem(kind="text", index=0, text="a lake")


class Inlining(Plain):
    """Takes images as data only."""

    def inlines(self, job: Job) -> frozenset[int]:
        return frozenset(item.index for item in job.spec.content if item.kind == "image")

    def submit(self, job: Job) -> Talk[Accepted]:
        response = yield post("/videos", {"image": job.spec.content[1].url})
        return Accepted(reference=response.object()["id"])


async def test_inputs_come_as_data_where_the_upstream_takes_no_urls() -> None:
    async def fetch(url: str, target: Path) -> None:
        assert url == FRAME.url
        target.write_bytes(PNG)

    async with stub(json({"id": "v1"})) as server:
        made = upstream(Inlining(), server.url, fetch_input=fetch)
        await made.submit(job(TEXT, FRAME))
        sent = (await server.requests[0].json())["image"]
        assert decode_data_uri(sent) == ("image/png", PNG)
        await made.close()


async def test_an_input_that_cannot_be_had_is_the_callers_matter() -> None:
    async def fetch(url: str, target: Path) -> None:
        raise InputUnavailable("http://images.example/a.png answered HTTP 404")

    with pytest.raises(Rejected) as raised:
        await upstream(Inlining(), "http://127.0.0.1:1", fetch_input=fetch).submit(job(TEXT, FRAME))
    assert raised.value.error.code == "invalid_input"
    assert raised.value.error.message == "http://images.example/a.png answered HTTP 404."


async def test_published_keys_are_asked_for_once() -> None:
    class Keys(Plain):
        def cancel(self, look: Look) -> Talk[bool]:
            response = yield get("/keys", keep_for=3600.0)
            return bool(response.object()["keys"])

    async with stub(json({"keys": [1]})) as server:
        made = upstream(Keys(), server.url)
        for _ in range(3):
            assert await made.cancel("1", job())
        assert len(server.requests) == 1
        await made.close()


async def test_a_result_may_be_in_the_answer_itself(tmp_path: Path) -> None:
    class Inside(Plain):
        def result(self, look: Look) -> Talk[Result]:
            response = yield get("/videos/1")
            return Result(video=response.body, last_frame=PNG)

    async def answer(_: web.Request) -> web.Response:
        return web.Response(body=b"mp4")

    async with stub(answer) as server:
        made = upstream(Inside(), server.url)
        rendered = await made.fetch("1", job(), tmp_path)
        assert rendered.video.read_bytes() == b"mp4"
        assert rendered.last_frame is not None
        assert rendered.last_frame.read_bytes() == PNG
        await made.close()


async def test_a_tls_handshake_that_fails_only_defers() -> None:
    async with stub(json({})) as server:
        made = upstream(Plain(), server.url.replace("http:", "https:"))
        with pytest.raises(Deferred):
            await made.submit(job())
        assert server.requests == []
        await made.close()


async def test_a_name_that_does_not_resolve_only_defers() -> None:
    made = upstream(Plain(), "http://nowhere.invalid")
    with pytest.raises(Deferred):
        await made.submit(job())
    await made.close()
