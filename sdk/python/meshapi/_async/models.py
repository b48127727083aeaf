"""``client.models``: the catalogue."""

from __future__ import annotations

from typing import TYPE_CHECKING, Unpack

from meshapi import _decoding
from meshapi._calls import Calls, RequestOptions

from .driver import AsyncDriver

if TYPE_CHECKING:
    from meshapi.types import Model, ModelList

    from .raw import AsyncRawModels


class AsyncModels:
    """The models this key may use."""

    def __init__(self, calls: Calls, driver: AsyncDriver) -> None:
        self._calls = calls
        self._driver = driver

    @property
    def with_raw_response(self) -> AsyncRawModels:
        """The same calls with the HTTP answer around the result: ``status``, ``headers``, ``parse()``."""
        from .raw import AsyncRawModels

        return AsyncRawModels(self._calls, self._driver)

    async def list(
        self,
        *,
        type: str | None = None,  # noqa: A002 - the word of the wire
        provider: str | None = None,
        **options: Unpack[RequestOptions],
    ) -> ModelList:
        """All models, or those of a ``type`` (``"video"``) or ``provider``."""
        return _decoding.models(await self._driver.run(self._calls.models(type, provider, options)))

    async def get(self, model_id: str, **options: Unpack[RequestOptions]) -> Model:
        """One model by its id, such as ``mesh/diorama-1``."""
        return _decoding.model(await self._driver.run(self._calls.model(model_id, options)))
