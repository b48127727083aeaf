# Generated from _async/models.py by generate_sync.py; edit that file, not this one.
"""``client.models``: the catalogue."""

from __future__ import annotations

from typing import TYPE_CHECKING, Unpack

from meshapi import _decoding
from meshapi._calls import Calls, RequestOptions

from .driver import Driver

if TYPE_CHECKING:
    from meshapi.types import Model, ModelList

    from .raw import RawModels


class Models:
    """The models this key may use."""

    def __init__(self, calls: Calls, driver: Driver) -> None:
        self._calls = calls
        self._driver = driver

    @property
    def with_raw_response(self) -> RawModels:
        """The same calls with the HTTP answer around the result: ``status``, ``headers``, ``parse()``."""
        from .raw import RawModels

        return RawModels(self._calls, self._driver)

    def list(
        self,
        *,
        type: str | None = None,  # noqa: A002 - the word of the wire
        provider: str | None = None,
        **options: Unpack[RequestOptions],
    ) -> ModelList:
        """All models, or those of a ``type`` (``"video"``) or ``provider``."""
        return _decoding.models(self._driver.run(self._calls.models(type, provider, options)))

    def get(self, model_id: str, **options: Unpack[RequestOptions]) -> Model:
        """One model by its id, such as ``mesh/diorama-1``."""
        return _decoding.model(self._driver.run(self._calls.model(model_id, options)))
