# Generated from _async/raw.py by generate_sync.py; edit that file, not this one.
"""``with_raw_response``: the calls with the HTTP answer around the result."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, Unpack

from meshapi import _decoding
from meshapi._calls import Calls, RequestOptions, list_query
from meshapi._raw import RawResponse, raw

from .driver import Driver

if TYPE_CHECKING:
    from meshapi._arguments import GenerateArguments, ListArguments
    from meshapi._usage import Day
    from meshapi.types import (
        CreateVideoGenerationResponse,
        DeleteVideoGenerationResponse,
        ListVideoGenerationsParams,
        Model,
        ModelList,
        Quote,
        Timeline,
        UsageReport,
        VideoGenerationParams,
        VideoTaskList,
        VideoTaskResponse,
    )


class RawVideos:
    """The calls of ``client.videos`` that are one request. Retries and errors are the same."""

    def __init__(self, calls: Calls, driver: Driver) -> None:
        self._calls = calls
        self._driver = driver

    def generate(
        self,
        params: VideoGenerationParams | Mapping[str, Any] | None = None,
        **arguments: Unpack[GenerateArguments],
    ) -> RawResponse[CreateVideoGenerationResponse]:
        """``videos.generate`` with its answer."""
        key, exchange = self._calls.create(params, arguments)
        return raw(self._driver.run(exchange), partial(_decoding.created, idempotency_key=key))

    def quote(
        self,
        params: VideoGenerationParams | Mapping[str, Any] | None = None,
        **arguments: Unpack[GenerateArguments],
    ) -> RawResponse[Quote]:
        """``videos.quote`` with its answer."""
        return raw(self._driver.run(self._calls.quote(params, arguments)), _decoding.quote)

    def retrieve(self, task_id: str, **options: Unpack[RequestOptions]) -> RawResponse[VideoTaskResponse]:
        """``videos.retrieve`` with its answer."""
        return raw(self._driver.run(self._calls.retrieve(task_id, options)), _decoding.task)

    def timeline(self, task_id: str, **options: Unpack[RequestOptions]) -> RawResponse[Timeline]:
        """``videos.timeline`` with its answer."""
        return raw(self._driver.run(self._calls.timeline(task_id, options)), _decoding.timeline)

    def list(
        self,
        params: ListVideoGenerationsParams | Mapping[str, Any] | None = None,
        **arguments: Unpack[ListArguments],
    ) -> RawResponse[VideoTaskList]:
        """``videos.list`` with its answer."""
        query, options = list_query(params, arguments)
        return raw(self._driver.run(self._calls.list(query, options)), _decoding.page)

    def cancel(self, task_id: str, **options: Unpack[RequestOptions]) -> RawResponse[VideoTaskResponse]:
        """``videos.cancel`` with its answer."""
        return raw(self._driver.run(self._calls.cancel(task_id, options)), _decoding.task)

    def delete(
        self, task_id: str, **options: Unpack[RequestOptions]
    ) -> RawResponse[DeleteVideoGenerationResponse]:
        """``videos.delete`` with its answer."""
        answer = self._driver.run(self._calls.delete(task_id, options))
        return raw(answer, partial(_decoding.deleted, task_id))


class RawModels:
    """The calls of ``client.models``."""

    def __init__(self, calls: Calls, driver: Driver) -> None:
        self._calls = calls
        self._driver = driver

    def list(
        self,
        *,
        type: str | None = None,  # noqa: A002 - the word of the wire
        provider: str | None = None,
        **options: Unpack[RequestOptions],
    ) -> RawResponse[ModelList]:
        """``models.list`` with its answer."""
        return raw(self._driver.run(self._calls.models(type, provider, options)), _decoding.models)

    def get(self, model_id: str, **options: Unpack[RequestOptions]) -> RawResponse[Model]:
        """``models.get`` with its answer."""
        return raw(self._driver.run(self._calls.model(model_id, options)), _decoding.model)


class RawUsage:
    """The call of ``client.usage``."""

    def __init__(self, calls: Calls, driver: Driver) -> None:
        self._calls = calls
        self._driver = driver

    def get(
        self,
        *,
        from_: Day | None = None,
        to: Day | None = None,
        by: str | Sequence[str] | None = None,
        **options: Unpack[RequestOptions],
    ) -> RawResponse[UsageReport]:
        """``usage.get`` with its answer."""
        return raw(self._driver.run(self._calls.usage(from_, to, by, options)), _decoding.usage)
