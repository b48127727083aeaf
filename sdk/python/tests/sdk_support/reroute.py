"""Sends what is meant for another host to a local server, over real HTTP."""

import httpx2
import pytest


def reroute(monkeypatch: pytest.MonkeyPatch, host: str, base_url: str) -> None:
    """Let every request to ``https://host`` go to ``base_url`` instead."""
    local = httpx2.URL(base_url)
    send, send_async = httpx2.HTTPTransport.handle_request, httpx2.AsyncHTTPTransport.handle_async_request

    def moved(request: httpx2.Request) -> httpx2.Request:
        if request.url.host == host:
            assert request.url.scheme == "https"
            request.url = request.url.copy_with(scheme=local.scheme, host=local.host, port=local.port)
        return request

    def handle(self: httpx2.HTTPTransport, request: httpx2.Request) -> httpx2.Response:
        return send(self, moved(request))

    async def handle_async(self: httpx2.AsyncHTTPTransport, request: httpx2.Request) -> httpx2.Response:
        return await send_async(self, moved(request))

    monkeypatch.setattr(httpx2.HTTPTransport, "handle_request", handle)
    monkeypatch.setattr(httpx2.AsyncHTTPTransport, "handle_async_request", handle_async)
