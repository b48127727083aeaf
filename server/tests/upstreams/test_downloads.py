"""Downloads: continued, bounded, and never with our key to a stranger."""

from pathlib import Path

import pytest
from aiohttp import web

from meshapi_server.upstreams.contract import Deferred, Rejected
from meshapi_server.upstreams.download import Download
from meshapi_server.upstreams.http import HttpRequest, get
from meshapi_server.upstreams.transport import NoAnswer, Timeouts, Transport

from .stub import Handler, Stub, stub

DATA = bytes(range(256)) * 4096  # 1 MiB
SECONDS = Timeouts(connect=5.0, total=5.0, silence=5.0)


class Flaky:
    """Serves DATA with ranges; ``cuts`` are the places where a connection ends, one after the other."""

    def __init__(self, *cuts: int, tag: str = '"one"', ranges: bool = True) -> None:
        self.cuts = list(cuts)
        self.tag = tag
        self.ranges = ranges
        self.asked: list[str] = []

    async def __call__(self, request: web.Request) -> web.StreamResponse:
        wish = request.headers.get("range", "")
        self.asked.append(wish)
        begins = int(wish[6:-1]) if wish and self.ranges else 0
        if wish and request.headers.get("if-range", self.tag) != self.tag:
            begins = 0
        response = web.StreamResponse(status=206 if begins else 200, headers={"etag": self.tag})
        if begins:
            response.headers["content-range"] = f"bytes {begins}-{len(DATA) - 1}/{len(DATA)}"
        response.content_length = len(DATA) - begins
        await response.prepare(request)
        ends = self.cuts.pop(0) if self.cuts else len(DATA)
        await response.write(DATA[begins:ends])
        if ends < len(DATA) and request.transport is not None:
            request.transport.close()
        return response


async def download(server: Stub, target: Path, *, largest: int = 1 << 30, path: str = "/file") -> None:
    transport = Transport(lambda: 0, SECONDS)

    def authorise(url: str, request: HttpRequest) -> dict[str, str]:
        return {"authorization": "Bearer k"} if url.startswith(server.url) else {}

    try:
        await Download(transport, authorise, largest).to(target, server.url + path, get(path))
    finally:
        await transport.close()


async def test_a_download_goes_on_after_each_cut(tmp_path: Path) -> None:
    served = Flaky(300_000, 700_000)
    async with stub(served) as server:
        await download(server, tmp_path / "v")
    assert (tmp_path / "v").read_bytes() == DATA
    assert served.asked[0] == ""
    assert len(served.asked) == 3
    assert all(asked.startswith("bytes=") for asked in served.asked[1:])


async def test_a_file_that_changed_meanwhile_is_taken_from_its_beginning(tmp_path: Path) -> None:
    served = Flaky(300_000)

    async def answer(request: web.Request) -> web.StreamResponse:
        if served.asked:
            served.tag = '"two"'
        return await served(request)

    async with stub(answer) as server:
        await download(server, tmp_path / "v")
    assert (tmp_path / "v").read_bytes() == DATA


async def test_a_server_without_ranges_is_asked_for_all_again(tmp_path: Path) -> None:
    async with stub(Flaky(300_000, ranges=False)) as server:
        await download(server, tmp_path / "v")
    assert (tmp_path / "v").read_bytes() == DATA


async def test_a_download_without_any_progress_ends(tmp_path: Path) -> None:
    served = Flaky(*[0] * 20)
    async with stub(served) as server:
        with pytest.raises(NoAnswer, match="cut after 0 bytes"):
            await download(server, tmp_path / "v")
    assert len(served.asked) == 1


@pytest.mark.parametrize("stated", [True, False])
async def test_a_file_larger_than_the_limit_is_given_up(tmp_path: Path, stated: bool) -> None:
    async def unstated(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        response.enable_chunked_encoding()
        await response.prepare(request)
        await response.write(DATA)
        return response

    answer: Handler = Flaky() if stated else unstated
    async with stub(answer) as server:
        with pytest.raises(Rejected, match="larger than 1000 bytes"):
            await download(server, tmp_path / "v", largest=1000)


@pytest.mark.parametrize(
    ("status", "fault"), [(403, Deferred), (404, Deferred), (500, Deferred), (410, Rejected)]
)
async def test_a_result_that_is_not_served_is_asked_for_later_unless_it_is_gone(
    tmp_path: Path, status: int, fault: type[Exception]
) -> None:
    async def answer(_: web.Request) -> web.Response:
        return web.Response(status=status)

    async with stub(answer) as server:
        with pytest.raises(fault):
            await download(server, tmp_path / "v")


async def test_a_redirect_is_followed_without_our_key_to_a_stranger(tmp_path: Path) -> None:
    served = Flaky()
    async with stub(served) as stranger:

        async def answer(_: web.Request) -> web.Response:
            return web.Response(status=302, headers={"location": f"{stranger.url}/file?signature=a%2Fb"})

        async with stub(answer) as server:
            await download(server, tmp_path / "v")
            assert server.requests[0].headers["authorization"] == "Bearer k"
        assert "authorization" not in stranger.requests[0].headers
        assert stranger.requests[0].rel_url.raw_query_string == "signature=a%2Fb"
    assert (tmp_path / "v").read_bytes() == DATA


@pytest.mark.parametrize("location", ["/file", "ftp://host/file", "file:///etc/passwd"])
async def test_a_redirect_that_leads_nowhere_ends_the_task(tmp_path: Path, location: str) -> None:
    async def answer(_: web.Request) -> web.Response:
        return web.Response(status=302, headers={"location": location})

    async with stub(answer) as server:
        with pytest.raises(Rejected, match="redirects"):
            await download(server, tmp_path / "v")
