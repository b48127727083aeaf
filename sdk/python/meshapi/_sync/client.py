# Generated from _async/client.py by generate_sync.py; edit that file, not this one.
"""``MeshAPI``, the entrance."""

from __future__ import annotations

from collections.abc import Sequence
from types import EllipsisType, TracebackType
from typing import TYPE_CHECKING, Self

from meshapi import _log
from meshapi._calls import Calls
from meshapi._retry import RetryPolicy
from meshapi._service import Service
from meshapi._settings import DEFAULT_TIMEOUT, Settings, Timeout, checked_timeout, resolve, with_retries
from meshapi._transport import headers_for

from .connect import HttpClient, connect
from .driver import Driver
from .models import Models
from .transport import Wiring
from .videos import Videos

if TYPE_CHECKING:
    from .usage import Usage
    from .webhooks import ClientWebhooks


class MeshAPI:
    """A client of the Mesh API. Use it as a context manager, or call ``close()`` when done.

    ``api_key`` and ``token`` are two names for one thing; without either, MESHAPI_API_KEY or MESHAPI_TOKEN
    is used. ``base_url`` (or MESHAPI_BASE_URL) may end in ``/v1``. ``timeout`` is seconds for each of
    connecting, sending and receiving; ``max_retries`` is how often a call is repeated, ``retry`` says it in
    full. A given ``http_client`` stays yours to close. ``webhook_secret`` (or MESHAPI_WEBHOOK_SECRET), one
    or several, is what ``webhooks`` checks callbacks with. One client may be shared by all tasks of an event
    loop.
    """

    def __init__(
        self,
        *,
        base_url: str | None = None,
        api_key: str | None = None,
        token: str | None = None,
        timeout: Timeout = DEFAULT_TIMEOUT,
        max_retries: int | None = None,
        retry: RetryPolicy | None = None,
        http_client: HttpClient | None = None,
        webhook_secret: str | Sequence[str] | None = None,
    ) -> None:
        _log.configure()
        settings = resolve(
            api_key=api_key,
            token=token,
            base_url=base_url,
            timeout=timeout,
            max_retries=max_retries,
            retry=retry,
        )
        self._owns_connections = http_client is None
        wiring = connect(http_client, headers_for(settings.api_key))
        self._assemble(Calls(settings, Service(), wiring.ambient), wiring, webhook_secret)

    def _assemble(self, calls: Calls, wiring: Wiring, webhook_secret: str | Sequence[str] | None) -> None:
        self._webhook_secret = webhook_secret
        self._calls = calls
        self._wiring = wiring
        self._driver = driver = Driver(wiring)
        self.videos = Videos(self._calls, driver)
        self.models = Models(self._calls, driver)

    @property
    def usage(self) -> Usage:
        """What the keys of this one's owner have used."""
        from .usage import Usage

        return Usage(self._calls, self._driver)

    @property
    def webhooks(self) -> ClientWebhooks:
        """Callbacks: checked with this client's secret, registered, looked up and sent again."""
        from .webhooks import ClientWebhooks

        return ClientWebhooks(self._calls, self._driver, self._webhook_secret, clock=self._calls.ambient.unix)

    @property
    def base_url(self) -> str:
        """Where requests go, without ``/v1``."""
        return self._calls.settings.root

    def with_options(
        self,
        *,
        timeout: Timeout | EllipsisType = ...,
        max_retries: int | None = None,
        retry: RetryPolicy | None = None,
    ) -> Self:
        """The same client, over the same connections, with other options."""
        settings = self._calls.settings
        policy = retry or settings.retry
        if max_retries is not None:
            policy = with_retries(policy, max_retries)
        kept = settings.timeout if timeout is ... else checked_timeout(timeout)
        copy = object.__new__(type(self))
        copy._owns_connections = False
        changed = Settings(settings.root, settings.api_key, kept, policy)
        copy._assemble(
            Calls(changed, self._calls.service, self._calls.ambient), self._wiring, self._webhook_secret
        )
        return copy

    def close(self) -> None:
        """Close the connections, unless the HTTP client was given from outside."""
        if self._owns_connections:
            self._wiring.transport.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"MeshAPI(base_url={self.base_url!r})"
