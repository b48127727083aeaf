"""Proxies come from the environment, and nothing else does."""

from pathlib import Path

import pytest
from aiohttp import web
from yarl import URL

from meshapi_server.tasks.clock import system_clock
from meshapi_server.upstreams.credentials import Credentials
from meshapi_server.upstreams.proxies import Proxies
from meshapi_server.upstreams.runner import HttpUpstream

from .stub import Plain, job, stub

VARIABLES = ("http_proxy", "https_proxy", "all_proxy", "no_proxy")


@pytest.fixture(autouse=True)
def bare(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


async def accept(_: web.Request) -> web.Response:
    return web.json_response({"id": "v1"})


async def test_a_call_goes_through_the_proxy_of_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    async with stub(accept) as proxy:
        monkeypatch.setenv("HTTP_PROXY", proxy.url.replace("://", "://me:secret@"))
        made = HttpUpstream(Plain(), Credentials(), system_clock, base_url="http://api.acme.example/v1")
        assert (await made.submit(job())).reference == "v1"
        (asked,) = proxy.requests
        assert asked.headers["host"] == "api.acme.example"
        assert asked.headers["proxy-authorization"].startswith("Basic ")
        assert asked.path == "/v1/videos"
        await made.close()


async def test_hosts_that_need_no_proxy_are_called_directly(monkeypatch: pytest.MonkeyPatch) -> None:
    async with stub(accept) as server, stub(accept) as proxy:
        monkeypatch.setenv("HTTP_PROXY", proxy.url)
        monkeypatch.setenv("NO_PROXY", "127.0.0.1,localhost")
        made = HttpUpstream(Plain(), Credentials(), system_clock, base_url=server.url)
        await made.submit(job())
        assert (len(server.requests), len(proxy.requests)) == (1, 0)
        await made.close()


async def test_the_passwords_of_netrc_are_neither_sent_nor_in_the_way(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login somebody password else\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    async with stub(accept) as server:
        made = HttpUpstream(Plain(), Credentials({"key": "k-0123456789"}), system_clock, base_url=server.url)
        await made.submit(job())
        assert server.requests[0].headers["authorization"] == "Bearer k-0123456789"
        await made.close()


@pytest.mark.parametrize(
    ("variables", "url", "proxy"),
    [
        ({"https_proxy": "http://p:1"}, "https://a/x", "http://p:1"),
        ({"https_proxy": "http://p:1"}, "http://a/x", None),
        ({"all_proxy": "p:1"}, "http://a/x", "http://p:1"),
        ({"all_proxy": "socks5://p:1"}, "http://a/x", None),
        ({"http_proxy": "http://p:1", "no_proxy": ".example"}, "http://a.example/x", None),
        ({"http_proxy": "http://p:1", "no_proxy": "*"}, "http://a/x", None),
        ({}, "http://a/x", None),
    ],
)
def test_which_proxy_is_chosen(
    variables: dict[str, str], url: str, proxy: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    chosen = Proxies().choose(URL(url))
    assert (None if chosen is None else str(chosen.url)) == proxy
