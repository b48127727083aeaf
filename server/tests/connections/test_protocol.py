"""Slow, large and broken requests on real connections: each is dropped for its reason, others are served."""

import asyncio
import contextlib
import json
import socket

import pytest

from meshapi_server.connections.limits import Limits
from meshapi_server.connections.web_server import within_files

from .conftest import Typist, site

SLOW = Limits(head_timeout=0.3, stall_timeout=0.3, slowest=1_000_000)
PATIENT = Limits(head_timeout=60, stall_timeout=60)


def told(answer: bytes, status: int) -> dict[str, str]:
    """The error of a refusal, whose form is that of every other answer."""
    head, _, body = answer.partition(b"\r\n\r\n")
    lines = head.decode().split("\r\n")
    assert lines[0].startswith(f"HTTP/1.1 {status} "), lines[0]
    headers = dict(line.split(": ", 1) for line in lines[1:])
    parsed = json.loads(body)
    assert set(parsed) == {"error", "request_id"}
    assert headers["x-request-id"] == parsed["request_id"]
    assert headers["content-type"] == "application/json"
    assert headers["connection"] == "close"
    assert headers["x-mesh-version"] in {"2026-08", "2026-09"}
    assert headers["x-content-type-options"] == "nosniff"
    error: dict[str, str] = parsed["error"]
    return error


async def test_a_connection_that_says_nothing_is_closed_without_a_word() -> None:
    async with site(SLOW) as server, server.connected() as silent:
        assert await silent.rest() == b""


@pytest.mark.parametrize(
    "first", [b"GET /", b"GET / HTTP/1.1\r\nx-slow: ", b"\r\n"], ids=["line", "header", "blank"]
)
async def test_a_head_that_drips_is_refused_while_others_are_served(first: bytes) -> None:
    async with site(SLOW) as server, server.connected() as slow:
        await slow.type(first)
        dripping = asyncio.create_task(slow.drip(b"\r\n" if first == b"\r\n" else b"a", 0.05))
        for _ in range(5):
            assert await server.status() == b"HTTP/1.1 200 OK"
        answer = await dripping
        if first != b"\r\n":  # blank lines ask for nothing
            assert told(answer, 408)["code"] == "invalid_request"
        assert server.app.asked == ["/"] * 5


async def test_a_second_head_that_drips_is_refused_as_the_first_would_be() -> None:
    async with site(SLOW) as server, server.connected() as slow:
        await slow.type(b"GET / HTTP/1.1\r\nhost: a\r\n\r\n")
        await slow.answer()
        assert b" 200 " not in await slow.drip(b"\r\n", 0.05)
        assert server.app.asked == ["/"]


@pytest.mark.parametrize("every", [10.0, 0.05], ids=["stands still", "drips"])
async def test_a_body_below_the_slowest_pace_is_refused(every: float) -> None:
    async with site(SLOW) as server, server.connected() as slow:
        await slow.type(b"POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 1000000\r\n\r\n")
        dripping = asyncio.create_task(slow.drip(b"x", every))
        assert await server.status() == b"HTTP/1.1 200 OK"
        assert told(await dripping, 408)["message"] == "The request did not arrive in time."


async def test_a_client_that_goes_on_sending_too_slowly_can_still_read_why() -> None:
    async with site(SLOW) as server:
        with socket.socket() as slow:
            slow.setblocking(False)
            loop = asyncio.get_running_loop()
            await loop.sock_connect(slow, ("127.0.0.1", server.port))
            await loop.sock_sendall(slow, b"POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 1000000\r\n\r\n")
            await asyncio.sleep(2 * SLOW.stall_timeout)  # refused by now
            for _ in range(2):  # a closed end answers the first with a reset, at which the second fails
                await loop.sock_sendall(slow, b"x")
                await asyncio.sleep(0.05)
            assert told(await loop.sock_recv(slow, 65536), 408)["code"] == "invalid_request"


async def test_a_body_that_nobody_wants_any_more_is_cut_off() -> None:
    async with site(SLOW) as server, server.connected() as slow:
        await slow.type(b"POST /early HTTP/1.1\r\nhost: a\r\ncontent-length: 1000000\r\n\r\n")
        await slow.answer()
        assert b" 200 " not in await slow.drip(b"x", 0.05)
        assert server.app.asked == ["/early"]


async def test_a_body_that_keeps_its_pace_takes_as_long_as_it_takes() -> None:
    limits = Limits(stall_timeout=0.5, slowest=10)
    async with site(limits) as server, server.connected() as steady:
        await steady.type(b"POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 3000\r\nconnection: close\r\n\r\n")
        for _ in range(6):
            await asyncio.sleep(0.15)
            await steady.type(b"x" * 500)
        assert b"3000" in await steady.rest()


async def test_an_answer_that_nobody_reads_is_cut_off() -> None:
    async with site(SLOW) as server:
        with socket.socket() as deaf:
            deaf.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            deaf.setblocking(False)
            loop = asyncio.get_running_loop()
            await loop.sock_connect(deaf, ("127.0.0.1", server.port))
            await loop.sock_sendall(deaf, b"GET /big HTTP/1.1\r\nhost: a\r\n\r\n")
            await server.until(lambda: len(server.server.server_state.connections) == 1)
            await server.until(lambda: not server.server.server_state.connections)
            await server.until(lambda: not server.server.server_state.tasks)


async def test_an_answer_that_is_read_arrives_whole() -> None:
    async with site(SLOW) as server, server.connected() as keen:
        await keen.type(b"GET /big HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n")
        assert len(await keen.rest()) > 64 * 1024 * 1024


async def test_a_caller_who_waits_for_an_answer_is_not_slow() -> None:
    async with site(SLOW) as server, server.connected() as waiting:
        await waiting.type(b"GET /held HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n")
        await asyncio.sleep(1.0)
        server.app.let_go.set()
        assert (await waiting.rest()).startswith(b"HTTP/1.1 200")


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        (b"GET /" + b"a" * 20_000 + b" HTTP/1.1\r\nhost: a\r\n\r\n", 414),
        (b"GET /?" + b"a" * 20_000 + b" HTTP/1.1\r\nhost: a\r\n\r\n", 414),
        (b"GET / HTTP/1.1\r\nbig: " + b"a" * 60_000 + b"\r\n\r\n", 431),
        (b"GET / HTTP/1.1\r\n" + b"name: value\r\n" * 200 + b"\r\n", 431),
        (b"GET / HTTP/1.1\r\nbig: " + b"a" * 2_000_000, 431),
        (b"GET / HTTP/1.1\r\n" + b"a" * 2_000_000, 431),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 400),
        (b"HELLO\r\n\r\n", 400),
        (b"GET / HTTP/9.9\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nname : value\r\n\r\n", 400),
        (b"POST / HTTP/1.1\r\ncontent-length: 5\r\ncontent-length: 6\r\n\r\n", 400),
        (b"POST / HTTP/1.1\r\ncontent-length: 5\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n", 400),
        (b"POST / HTTP/1.1\r\ntransfer-encoding: chunked, identity\r\n\r\n0\r\n\r\n", 400),
        (b"CONNECT a:1 HTTP/1.1\r\nhost: a\r\n\r\n", 400),
    ],
    ids=str,
)
async def test_what_is_too_large_or_no_http_is_told_so_in_the_envelope(request_: bytes, status: int) -> None:
    async with site(PATIENT) as server, server.connected() as typist:
        await typist.type(request_)  # to its end, and the answer is still there to be read
        assert told(await typist.rest(), status)["code"] == "invalid_request"
        assert server.app.asked == []
        assert await server.status() == b"HTTP/1.1 200 OK"


async def test_a_body_that_breaks_its_framing_is_refused_instead_of_answered() -> None:
    async with site(PATIENT) as server, server.connected() as typist:
        await typist.type(b"POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n")
        assert told(await typist.rest(), 400)["code"] == "invalid_request"


async def test_a_refusal_answers_under_the_request_id_and_version_that_came_before_it() -> None:
    named = b"x-request-id: mine\r\nx-mesh-version: 2026-09\r\n"
    body = b"transfer-encoding: chunked\r\n\r\nzz\r\n"
    whole = b"GET / HTTP/1.1\r\nhost: a\r\n" + named + b"\r\n"
    async with site(PATIENT) as server:
        for broken in (
            b"POST / HTTP/1.1\r\n" + named + body,
            b"GET / HTTP/1.1\r\n" + named + b"host: a\r\na b: c\r\n\r\n",
        ):
            async with server.connected() as typist:
                await typist.type(broken)
                answer = await typist.rest()
                assert told(answer, 400)["code"] == "invalid_request"
                assert b"\r\nx-request-id: mine\r\nx-mesh-version: 2026-09\r\n" in answer
        async with server.connected() as typist:
            await typist.type(whole)
            await typist.answer()
            await typist.type(b"no request\r\n\r\n")
            assert b"x-request-id: req_" in await typist.rest()


async def test_trailers_are_bounded_and_no_headers() -> None:
    chunked = b"POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n"
    async with site(PATIENT) as server:
        async with server.connected() as typist:
            await typist.type(chunked + b"late: x\r\n\r\n")
            assert b"\r\n1\r\n1\r\n" in await typist.answer()
        assert not server.app.trailers_seen
        async with server.connected() as endless:
            await endless.type(chunked + b"late: ")
            assert b" 200 " not in await endless.drip(b"a" * 100_000, 0.001)


async def test_requests_that_come_at_once_on_one_connection_are_answered_in_order() -> None:
    async with site(SLOW) as server, server.connected() as typist:
        await typist.type(b"".join(b"GET /%d HTTP/1.1\r\nhost: a\r\n\r\n" % each for each in range(50)))
        for _ in range(50):
            await typist.answer()
        assert server.app.asked == [f"/{each}" for each in range(50)]


async def test_an_offer_of_another_protocol_is_passed_over() -> None:
    async with site(PATIENT) as server, server.connected() as typist:
        offer = b"GET /%s HTTP/1.1\r\nhost: a\r\nconnection: upgrade\r\nupgrade: %s\r\n\r\n"
        await typist.type(offer % (b"1", b"h2c") + offer % (b"2", b"websocket"))
        for _ in range(2):
            assert (await typist.answer()).startswith(b"HTTP/1.1 200")
        await typist.type(b"GET /3 HTTP/1.1\r\nhost: a\r\n\r\n")
        assert (await typist.answer()).startswith(b"HTTP/1.1 200")
        assert server.app.asked == ["/1", "/2", "/3"]


@pytest.mark.parametrize(
    "limits",
    [
        Limits(connections=4, head_timeout=60),
        Limits(per_address=4, private_unbounded=False, head_timeout=60),
    ],
    ids=["in all", "of one address"],
)
async def test_one_connection_too_many_is_refused_and_room_comes_back(limits: Limits) -> None:
    async with site(limits) as server, contextlib.AsyncExitStack() as open_ones:
        typists: list[Typist] = [await open_ones.enter_async_context(server.connected()) for _ in range(4)]
        await server.until(lambda: len(server.server.server_state.connections) == 4)
        async with server.connected() as fifth:
            assert told(await fifth.rest(), 503)["code"] == "provider_not_available"
        for typist in typists:
            typist.writer.close()
        await server.until(lambda: not server.server.server_state.connections)
        assert await server.status() == b"HTTP/1.1 200 OK"


async def test_those_who_wait_are_let_go_before_the_server_waits_for_them() -> None:
    async with site(PATIENT) as server, server.connected() as waiting:
        await waiting.type(b"GET /held HTTP/1.1\r\nhost: a\r\n\r\n")
        await server.until(lambda: server.app.asked == ["/held"])
        server.server.should_exit = True
        await server.until(lambda: server.stopped == ["stopping"])
        server.app.let_go.set()
        assert (await waiting.rest()).startswith(b"HTTP/1.1 200")


def test_more_connections_than_open_files_are_not_promised(monkeypatch: pytest.MonkeyPatch) -> None:
    wanted = Limits(connections=10_000)
    set_to: list[tuple[int, int]] = []
    monkeypatch.setattr("resource.getrlimit", lambda _: (1024, 4096))
    monkeypatch.setattr("resource.setrlimit", lambda _, bounds: set_to.append(bounds))
    assert within_files(wanted).connections == 4096 - 256
    assert set_to == [(4096, 4096)]
    monkeypatch.setattr("resource.getrlimit", lambda _: (1024, 1_000_000))
    assert within_files(wanted) == wanted
    assert set_to[1:] == [(10_256, 1_000_000)]
