"""``client.webhooks``: checking callbacks, and what the server keeps of them (wire.md section 7)."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, Unpack

from meshapi import _decoding, _paths
from meshapi._calls import Calls, RequestOptions
from meshapi.webhooks import Webhooks

from .driver import AsyncDriver

if TYPE_CHECKING:
    from meshapi._exchange import Exchange
    from meshapi.types import (
        TaskEvent,
        TaskEventList,
        WebhookDelivery,
        WebhookDeliveryList,
        WebhookEndpoint,
        WebhookEndpointDeleted,
        WebhookEndpointList,
        WebhookSecret,
    )

    _Query = Mapping[str, str | int | None]


class AsyncClientWebhooks(Webhooks):
    """``verify`` and ``parse`` check a callback with the client's secret; the rest asks the server."""

    def __init__(
        self,
        calls: Calls,
        driver: AsyncDriver,
        secret: str | Sequence[str] | None,
        *,
        clock: Callable[[], float],
    ) -> None:
        super().__init__(secret, clock=clock)
        self._calls = calls
        self._driver = driver
        self.endpoints = AsyncWebhookEndpoints(calls, driver)
        self.deliveries = AsyncWebhookDeliveries(calls, driver)

    async def events(
        self, *, after: str | None = None, limit: int | None = None, **options: Unpack[RequestOptions]
    ) -> TaskEventList:
        """What happened behind the event ``after``, oldest first; without it, from the oldest that is kept.

        Give the ``next`` of one answer as ``after`` of the following one, and no callback is ever lost.
        """
        return _decoding.events(await self._driver.run(self._events(options, limit, after)))

    def iter_events(
        self, *, after: str | None = None, limit: int | None = None, **options: Unpack[RequestOptions]
    ) -> AsyncIterator[TaskEvent]:
        """All of them, to the newest; pages of ``limit`` are fetched as the loop gets to them.

        Give the ``id`` of the last one as ``after`` of the next loop.
        """
        from meshapi._cursor import walk

        return self._driver.stream(walk(after, partial(self._events, options, limit), _decoding.events))

    def _events(self, options: RequestOptions, limit: int | None, after: str | None) -> Exchange:
        return self._calls.plain("GET", _paths.EVENTS, options, query={"after": after, "limit": limit})

    async def secret(self, **options: Unpack[RequestOptions]) -> WebhookSecret:
        """What signs the callbacks to the ``callback_url`` of single tasks."""
        asked = self._calls.plain("GET", _paths.webhooks("secret"), options)
        return _decoding.webhook_secret(await self._driver.run(asked))

    async def rotate_secret(self, **options: Unpack[RequestOptions]) -> WebhookSecret:
        """A new one; for a day callbacks are signed with the old one, too."""
        asked = self._calls.plain("POST", _paths.webhooks("secret", "rotate"), options, repeat="never")
        return _decoding.webhook_secret(await self._driver.run(asked))


class AsyncWebhookEndpoints:
    """URLs that are told of every task that ends, or of those with certain ends."""

    def __init__(self, calls: Calls, driver: AsyncDriver) -> None:
        self._calls = calls
        self._driver = driver

    async def create(
        self,
        url: str,
        *,
        events: Sequence[str] | None = None,
        description: str | None = None,
        enabled: bool | None = None,
        **options: Unpack[RequestOptions],
    ) -> WebhookEndpoint:
        """Register a URL. The answer has its ``secret``, this once. Never sent twice: look before you repeat.

        ``events`` are ``video.generation.succeeded`` and ``video.generation.failed``; without them, all.
        """
        body = _given(url=url, events=events, description=description, enabled=enabled)
        place = _paths.webhooks("endpoints")
        asked = self._calls.plain("POST", place, options, body=body, repeat="never")
        return _decoding.webhook_endpoint(await self._driver.run(asked))

    async def list(self, **options: Unpack[RequestOptions]) -> WebhookEndpointList:
        """All of them, oldest first."""
        asked = self._calls.plain("GET", _paths.webhooks("endpoints"), options)
        return _decoding.webhook_endpoints(await self._driver.run(asked))

    async def get(self, endpoint_id: str, **options: Unpack[RequestOptions]) -> WebhookEndpoint:
        """One of them, without its secret."""
        asked = self._calls.plain("GET", _paths.webhooks("endpoints", endpoint_id), options)
        return _decoding.webhook_endpoint(await self._driver.run(asked))

    async def update(
        self,
        endpoint_id: str,
        *,
        url: str | None = None,
        events: Sequence[str] | None = None,
        description: str | None = None,
        enabled: bool | None = None,
        **options: Unpack[RequestOptions],
    ) -> WebhookEndpoint:
        """Change what is given; what is on its way keeps its URL."""
        body = _given(url=url, events=events, description=description, enabled=enabled)
        place = _paths.webhooks("endpoints", endpoint_id)
        return _decoding.webhook_endpoint(
            await self._driver.run(self._calls.plain("PATCH", place, options, body=body))
        )

    async def delete(self, endpoint_id: str, **options: Unpack[RequestOptions]) -> WebhookEndpointDeleted:
        """Remove it; what is on its way there is dead."""
        place = _paths.webhooks("endpoints", endpoint_id)
        asked = self._calls.plain("DELETE", place, options, repeat="never")
        return _decoding.webhook_endpoint_deleted(await self._driver.run(asked))

    async def test(self, endpoint_id: str, **options: Unpack[RequestOptions]) -> WebhookDelivery:
        """Send a test event: a task that never was, in a real delivery."""
        place = _paths.webhooks("endpoints", endpoint_id, "test")
        asked = self._calls.plain("POST", place, options, repeat="never")
        return _decoding.webhook_delivery(await self._driver.run(asked))

    async def rotate(self, endpoint_id: str, **options: Unpack[RequestOptions]) -> WebhookEndpoint:
        """Give it a new secret; for a day callbacks are signed with the old one, too."""
        place = _paths.webhooks("endpoints", endpoint_id, "rotate")
        asked = self._calls.plain("POST", place, options, repeat="never")
        return _decoding.webhook_endpoint(await self._driver.run(asked))


class AsyncWebhookDeliveries:
    """The delivery log: what was posted where, how often, and what came back."""

    def __init__(self, calls: Calls, driver: AsyncDriver) -> None:
        self._calls = calls
        self._driver = driver

    async def list(
        self,
        *,
        status: str | None = None,
        endpoint_id: str | None = None,
        event_id: str | None = None,
        task_id: str | None = None,
        after: str | None = None,
        limit: int | None = None,
        **options: Unpack[RequestOptions],
    ) -> WebhookDeliveryList:
        """A page, newest first; ``after`` is the id of the last delivery of the page before."""
        selected = _selected(status, endpoint_id, event_id, task_id, limit)
        return _decoding.webhook_deliveries(await self._driver.run(self._page(options, selected, after)))

    def iter(
        self,
        *,
        status: str | None = None,
        endpoint_id: str | None = None,
        event_id: str | None = None,
        task_id: str | None = None,
        after: str | None = None,
        limit: int | None = None,
        **options: Unpack[RequestOptions],
    ) -> AsyncIterator[WebhookDelivery]:
        """All that are selected, newest first; pages of ``limit`` are fetched as the loop gets to them."""
        from meshapi._cursor import walk

        selected = _selected(status, endpoint_id, event_id, task_id, limit)
        steps = walk(after, partial(self._page, options, selected), _decoding.webhook_deliveries)
        return self._driver.stream(steps)

    async def get(self, delivery_id: str, **options: Unpack[RequestOptions]) -> WebhookDelivery:
        """One delivery with every attempt at it."""
        asked = self._calls.plain("GET", _paths.webhooks("deliveries", delivery_id), options)
        return _decoding.webhook_delivery(await self._driver.run(asked))

    async def redeliver(self, delivery_id: str, **options: Unpack[RequestOptions]) -> WebhookDelivery:
        """Post it again now, also a dead one, under the same ``webhook-id``."""
        place = _paths.webhooks("deliveries", delivery_id, "redeliver")
        return _decoding.webhook_delivery(await self._driver.run(self._calls.plain("POST", place, options)))

    def _page(self, options: RequestOptions, selected: _Query, after: str | None) -> Exchange:
        query = {**selected, "after": after}
        return self._calls.plain("GET", _paths.webhooks("deliveries"), options, query=query)


def _selected(
    status: str | None, endpoint_id: str | None, event_id: str | None, task_id: str | None, limit: int | None
) -> _Query:
    return {
        "status": status,
        "endpoint_id": endpoint_id,
        "event_id": event_id,
        "task_id": task_id,
        "limit": limit,
    }


def _given(**fields: Any) -> Mapping[str, Any]:
    return {
        name: [*value] if name == "events" else value for name, value in fields.items() if value is not None
    }
