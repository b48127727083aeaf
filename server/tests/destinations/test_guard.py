"""Destinations that strangers name, and a listener that must never hear of them.

Every spelling below leads to this machine, directly or by way of a name or a redirect. A real listener on all
of its loopback addresses counts connections: with private destinations refused, there may be none.
"""

import asyncio
import contextlib
import itertools
import re
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web
from aiohttp.abc import AbstractResolver, ResolveResult

from meshapi_server.callbacks.sender import Sender
from meshapi_server.destinations.guard import AddressRefused, Guard
from meshapi_server.files.sources import Sources
from meshapi_server.upstreams.contract import InputUnavailable

# One address, 127.0.0.1, in every spelling that something out there understands.
SPELLINGS = [
    "127.0.0.1",
    "127.0.0.2",
    "127.255.255.254",
    "127.1",
    "127.0.1",
    "2130706433",
    "0x7f000001",
    "0x7F000001",
    "0x7f.0.0.1",
    "0x7f.0x0.0x0.0x1",
    "0x7f.1",
    "017700000001",
    "0177.0.0.1",
    "0177.0.0.01",
    "0177.1",
    "00000177.0.0.1",
    "127.0x0.0.1",
    "0.0.0.0",
    "0",
    "0x0",
    "localhost",
    "LOCALHOST",
    "localhost.",
    "LocalHost.",
    "[::1]",
    "[0:0:0:0:0:0:0:1]",
    "[0000:0000:0000:0000:0000:0000:0000:0001]",
    "[::]",
    "[::ffff:127.0.0.1]",
    "[::ffff:7f00:1]",
    "[0:0:0:0:0:ffff:127.0.0.1]",
    "[::ffff:0:127.0.0.1]",
    "[::127.0.0.1]",
    "[::7f00:1]",
    "[64:ff9b::127.0.0.1]",
    "[64:ff9b::7f00:1]",
    "[2002:7f00:1::]",
    "[2001:0:808:808:0:0:80ff:fffe]",
    "[fe80::1]",
    "[fe80::1%25lo]",
    "\u2460\u2461\u2466.0.0.1",  # circled digits
    "\uff11\uff12\uff17.\uff10.\uff10.\uff11",  # full-width digits
    "127\u30020\u30020\u30021",  # ideographic full stops
    "loc\u00adalhost",  # a soft hyphen, which names lose
    "\uff4cocalhost",
]
# Other places inside: nothing listens there for us, so the refusal itself is what counts.
INSIDE = [
    "10.0.0.1",
    "10.255.255.255",
    "172.16.0.1",
    "172.31.255.254",
    "192.168.0.1",
    "192.168.1.254",
    "100.64.0.1",
    "169.254.169.254",
    "169.254.170.2",
    "2852039166",
    "0xA9FEA9FE",
    "0251.0376.0251.0376",
    "[::ffff:169.254.169.254]",
    "[64:ff9b::a9fe:a9fe]",
    "[2002:a9fe:a9fe::]",
    "[fd00:ec2::254]",
    "[fd12:3456:789a::1]",
    "100.100.100.200",
    "168.63.129.16",
    "224.0.0.1",
    "239.255.255.250",
    "255.255.255.255",
    "240.0.0.1",
    "192.0.0.192",
    "[ff02::1]",
]

REFUSED = re.compile("leads to an address that is not (fetched from|called)")
Way = Callable[[str, Guard, Path], Awaitable[str]]


class Listener:
    """An HTTP server on every loopback address; ``heard`` counts the connections it was asked for."""

    def __init__(self) -> None:
        self.heard = 0
        self.port = 0

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.heard += 1
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            await reader.readuntil(b"\r\n\r\n")
            writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\nok")
            await writer.drain()
        writer.close()

    @contextlib.asynccontextmanager
    async def listening(self) -> AsyncIterator["Listener"]:
        place = socket.socket()
        place.bind(("0.0.0.0", 0))
        self.port = place.getsockname()[1]
        servers = [await asyncio.start_server(self._connected, sock=place)]
        with contextlib.suppress(OSError):
            servers.append(await asyncio.start_server(self._connected, "::1", self.port))
        try:
            yield self
        finally:
            for server in servers:
                server.close()


@pytest.fixture
async def listener() -> AsyncIterator[Listener]:
    async with Listener().listening() as opened:
        yield opened


class Turncoat(AbstractResolver):
    """Answers each question differently, one address after the other, as a hostile name server would."""

    def __init__(self, answers: Iterator[str]) -> None:
        self._answers = answers

    async def resolve(self, host: str, port: int = 0, family: int = 0) -> list[ResolveResult]:
        address = next(self._answers)
        kind = socket.AF_INET6 if ":" in address else socket.AF_INET
        return [
            ResolveResult(
                hostname=host, host=address, port=port, family=kind, proto=0, flags=socket.AI_NUMERICHOST
            )
        ]

    async def close(self) -> None:
        return None


async def fetched(url: str, guard: Guard, target: Path) -> str:
    """What the caller is told about an image that is not fetched."""
    with pytest.raises(InputUnavailable) as told:
        await Sources(guard).fetch(url, target)
    assert not target.exists()
    return str(told.value)


async def called(url: str, guard: Guard, target: Path) -> str:
    """What the owner is told about a callback that is not made."""
    sender = Sender(guard)
    try:
        answer = await sender.send(url, {}, b"{}")
    finally:
        await sender.close()
    assert answer.http_status is None
    assert answer.error is not None
    return answer.error


# Both things that a stranger can name a destination for.
WAYS = pytest.mark.parametrize("way", [fetched, called], ids=["image", "callback"])


@WAYS
@pytest.mark.parametrize("host", SPELLINGS)
async def test_no_spelling_of_this_machine_is_reached(
    way: Way, host: str, listener: Listener, tmp_path: Path
) -> None:
    guard = Guard(ports=frozenset({listener.port}))
    await way(f"http://{host}:{listener.port}/picture.png", guard, tmp_path / "in")
    assert listener.heard == 0


async def test_the_listener_would_have_heard(listener: Listener, tmp_path: Path) -> None:
    for host in ("127.0.0.1", "127.0.0.2", "localhost", "0x7f000001", "0x7f.1", "[::ffff:127.0.0.1]"):
        await Sources(Guard(private=True, ports=None)).fetch(
            f"http://{host}:{listener.port}/", tmp_path / "in"
        )
    assert listener.heard == 6
    sender = Sender(Guard(private=True, ports=None))
    for host in ("127.0.0.1", "localhost", "0x7f.1", "[::ffff:127.0.0.1]"):
        assert (await sender.send(f"http://{host}:{listener.port}/", {}, b"{}")).http_status == 200
    await sender.close()
    assert listener.heard == 10


@WAYS
@pytest.mark.parametrize("host", INSIDE)
async def test_no_place_inside_is_called(way: Way, host: str, tmp_path: Path) -> None:
    told = await way(f"http://{host}/", Guard(), tmp_path / "in")
    # Spellings that the HTTP client does not take for an address, and no name server either, lead nowhere.
    nowhere = host[0].isdigit() and told.endswith(("cannot be reached", "its name is not found"))
    assert REFUSED.search(told) or nowhere


@pytest.mark.parametrize(
    "host", ["169.254.169.254", "[fe80::1]", "[fd00:ec2::254]", "224.0.0.1", "100.100.100.200"]
)
@WAYS
async def test_metadata_and_multicast_are_not_called_even_where_private_networks_are(
    way: Way, host: str, tmp_path: Path
) -> None:
    assert REFUSED.search(await way(f"http://{host}/", Guard(private=True), tmp_path / "in"))


REBINDING = pytest.mark.parametrize(
    "answers",
    [
        ["93.184.216.34", "127.0.0.1"],
        ["127.0.0.1"],
        ["::1"],
        ["::ffff:127.0.0.1"],
        ["10.0.0.1", "127.0.0.1", "::1"],
    ],
    ids=" then ".join,
)


@REBINDING
async def test_a_name_that_changes_its_answer_gains_nothing(answers: list[str], listener: Listener) -> None:
    refused: list[str] = []
    connector = Guard(ports=frozenset({listener.port})).connector(refused=refused.append)
    connector._resolver = Turncoat(itertools.cycle(answers))  # a name server of the attacker's
    timeout = aiohttp.ClientTimeout(total=None, sock_connect=0.3)
    async with aiohttp.ClientSession(connector=connector, timeout=timeout) as session:
        for _ in answers:
            with pytest.raises((aiohttp.ClientError, OSError, TimeoutError)):
                await session.get(f"http://innocent.example:{listener.port}/")
    assert listener.heard == 0
    assert refused


@REBINDING
async def test_a_callback_to_a_name_that_changes_its_answer_is_not_made(
    answers: list[str], listener: Listener
) -> None:
    sender = Sender(Guard(ports=frozenset({listener.port})), timeout=0.3)
    await sender.close()
    sender._names = Turncoat(itertools.cycle(answers))  # type: ignore[assignment]  # the attacker's name server
    told = [
        (await sender.send(f"http://innocent.example:{listener.port}/", {}, b"{}")).error for _ in answers
    ]
    assert listener.heard == 0
    assert "leads to an address that is not called" in told


@pytest.mark.parametrize(
    "target",
    [
        "http://127.0.0.1:{port}/",
        "http://2130706433:{port}/",
        "http://[::1]:{port}/",
        "http://169.254.169.254:{door}/",
        "http://[::ffff:169.254.169.254]:{door}/",
        "file:///etc/passwd",
    ],
)
async def test_a_redirect_is_checked_like_the_first_address(
    target: str, listener: Listener, tmp_path: Path
) -> None:
    async def redirect(request: web.Request) -> web.Response:
        raise web.HTTPFound(target.format(port=listener.port, door=request.url.port))

    site = web.Application()
    site.router.add_get("/", redirect)
    runner = web.AppRunner(site)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    door = runner.addresses[0][1]
    try:
        guard = Guard(private=True, ports=frozenset({door}))
        await fetched(f"http://127.0.0.1:{door}/", guard, tmp_path / "in")
    finally:
        await runner.cleanup()
    assert listener.heard == 0


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("ftp://example.com/", "no http(s) URL"),
        ("file:///etc/passwd", "no http(s) URL"),
        ("gopher://127.0.0.1:25/", "no http(s) URL"),
        ("http:///path", "no http(s) URL"),
        ("http://user:secret@example.com/", "user name or password"),
        ("http://example.com:25/", "port 25"),
        ("https://example.com:22/", "port 22"),
        ("http://example.com:6379/", "port 6379"),
    ],
)
@WAYS
async def test_a_url_is_refused_before_anything_is_looked_up(
    way: Way, url: str, words: str, tmp_path: Path
) -> None:
    told = await way(url, Guard(), tmp_path / "in")
    assert words in told
    assert "secret" not in told


def test_the_suite_holds_more_than_sixty_destinations() -> None:
    assert len({*SPELLINGS, *INSIDE}) >= 60


async def test_a_refused_socket_is_never_made() -> None:
    connector = Guard().connector()
    with pytest.raises(AddressRefused):
        connector._socket_factory((socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", 80)))  # type: ignore[misc]
    await connector.close()
