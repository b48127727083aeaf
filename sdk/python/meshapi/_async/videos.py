"""``client.videos``: create, watch, fetch and remove video generation tasks."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import aclosing
from typing import TYPE_CHECKING, Any, BinaryIO, Unpack

from meshapi import _decoding
from meshapi._calls import Calls, RequestOptions, list_query, waiting_options
from meshapi.errors import TaskFailedError
from meshapi.types.task import VideoTaskResponse

from .driver import AsyncDriver

if TYPE_CHECKING:
    from os import PathLike

    from meshapi._arguments import GenerateArguments, ListArguments
    from meshapi._download import Variant
    from meshapi._sink import DownloadResult
    from meshapi._watch import Watch
    from meshapi.types import (
        CreateVideoGenerationResponse,
        DeleteVideoGenerationResponse,
        ListVideoGenerationsParams,
        Quote,
        Timeline,
        VideoGenerationParams,
        VideoTaskList,
    )

    from .raw import AsyncRawVideos

# Importing the client must cost little, so what only some programs do is loaded when it is done.

DEFAULT_MAX_WAIT = 1800.0
DEFAULT_POLL_INTERVAL = 2.0


class AsyncVideos:
    """Video generation tasks. Every method raises ``MeshAPIError`` or one of its children."""

    def __init__(self, calls: Calls, driver: AsyncDriver) -> None:
        self._calls = calls
        self._driver = driver

    @property
    def with_raw_response(self) -> AsyncRawVideos:
        """The same calls with the HTTP answer around the result: ``status``, ``headers``, ``parse()``."""
        from .raw import AsyncRawVideos

        return AsyncRawVideos(self._calls, self._driver)

    async def generate(
        self,
        params: VideoGenerationParams | Mapping[str, Any] | None = None,
        **arguments: Unpack[GenerateArguments],
    ) -> CreateVideoGenerationResponse:
        """Start a task: ``POST /v1/video/generations``. Returns at once; the task goes on at the server.

        Takes a parameter object or the same as keyword arguments, and the options of ``CreateOptions``. One
        idempotency key covers all sends of one call, so that a repetition cannot pay twice. Where the
        answer is lost at a server that does not honour such keys, the error has ``task_may_exist`` set.
        """
        key, exchange = self._calls.create(params, arguments)
        return _decoding.created(await self._driver.run(exchange), key)

    async def quote(
        self,
        params: VideoGenerationParams | Mapping[str, Any] | None = None,
        **arguments: Unpack[GenerateArguments],
    ) -> Quote:
        """What ``generate`` with the same arguments would cost: ``POST /v1/video/quote``.

        Spends nothing and creates nothing. What ``generate`` would be refused for is refused here, too. A
        server without quotes answers 404 (``NotFoundError``).
        """
        return _decoding.quote(await self._driver.run(self._calls.quote(params, arguments)))

    async def retrieve(self, task_id: str, **options: Unpack[RequestOptions]) -> VideoTaskResponse:
        """The task as it is now: ``GET /v1/video/generations/{task_id}``. A failed task does not raise."""
        return _decoding.task(await self._driver.run(self._calls.retrieve(task_id, options)))

    async def timeline(self, task_id: str, **options: Unpack[RequestOptions]) -> Timeline:
        """What happened to the task: ``GET /v1/video/generations/{task_id}/timeline``, oldest first."""
        return _decoding.timeline(await self._driver.run(self._calls.timeline(task_id, options)))

    async def list(
        self,
        params: ListVideoGenerationsParams | Mapping[str, Any] | None = None,
        **arguments: Unpack[ListArguments],
    ) -> VideoTaskList:
        """One page of tasks, newest first: ``GET /v1/video/generations``.

        Takes a parameter object or the same as keyword arguments.
        """
        query, options = list_query(params, arguments)
        return _decoding.page(await self._driver.run(self._calls.list(query, options)))

    def iter(
        self,
        params: ListVideoGenerationsParams | Mapping[str, Any] | None = None,
        **arguments: Unpack[ListArguments],
    ) -> AsyncIterator[VideoTaskResponse]:
        """All tasks that the parameters select, newest first; pages are fetched as the loop gets to them."""
        from meshapi._paging import walk

        query, options = list_query(params, arguments)
        steps = walk(query, lambda wanted: self._calls.page(wanted, options))
        return self._driver.stream(steps)

    async def wait(
        self,
        task_id: str,
        *,
        max_wait: float = DEFAULT_MAX_WAIT,
        poll_interval: float = DEFAULT_POLL_INTERVAL,
        raise_on_failure: bool = True,
        **options: Unpack[RequestOptions],
    ) -> VideoTaskResponse:
        """Wait until the task has ended and return it.

        ``max_wait`` and ``poll_interval`` are seconds. Raises ``TaskFailedError`` (unless told not to) when
        it ended without a result, and ``WaitTimeoutError`` when ``max_wait`` is over; the task goes on then
        and can be waited for again.
        """
        last = VideoTaskResponse(id=task_id)
        steps = self._watch(task_id, max_wait, poll_interval, options).steps()
        async with aclosing(self._driver.stream(steps)) as changes:
            async for task in changes:
                last = task
        if raise_on_failure and last.status != "succeeded":
            raise TaskFailedError(last)
        return last

    def watch(
        self,
        task_id: str,
        *,
        max_wait: float = DEFAULT_MAX_WAIT,
        poll_interval: float = DEFAULT_POLL_INTERVAL,
        **options: Unpack[RequestOptions],
    ) -> AsyncIterator[VideoTaskResponse]:
        """The task at every change of status, progress or place in the queue, at last when it has ended.

        Uses the server's events, else long-polling, else polling. A failed task does not raise; a wait that
        runs out does.
        """
        return self._driver.stream(self._watch(task_id, max_wait, poll_interval, options).steps())

    def _watch(self, task_id: str, max_wait: float, poll_interval: float, options: RequestOptions) -> Watch:
        from meshapi._watch import WaitPlan, Watch

        return Watch(self._calls, task_id, WaitPlan(max_wait, poll_interval), options)

    async def generate_and_wait(
        self,
        params: VideoGenerationParams | Mapping[str, Any] | None = None,
        *,
        max_wait: float = DEFAULT_MAX_WAIT,
        poll_interval: float = DEFAULT_POLL_INTERVAL,
        raise_on_failure: bool = True,
        **arguments: Unpack[GenerateArguments],
    ) -> VideoTaskResponse:
        """``generate`` and then ``wait``. The errors of the wait carry the task's id."""
        task = await self.generate(params, **arguments)
        if task.is_terminal and not (raise_on_failure and task.status != "succeeded"):
            return task
        options = waiting_options(arguments)
        return await self.wait(
            task.id,
            max_wait=max_wait,
            poll_interval=poll_interval,
            raise_on_failure=raise_on_failure,
            **options,
        )

    async def cancel(self, task_id: str, **options: Unpack[RequestOptions]) -> VideoTaskResponse:
        """End a task that has not ended; ``ConflictError`` when it has."""
        return _decoding.task(await self._driver.run(self._calls.cancel(task_id, options)))

    async def delete(self, task_id: str, **options: Unpack[RequestOptions]) -> DeleteVideoGenerationResponse:
        """Remove an ended task with its files, or cancel one that has not ended."""
        return _decoding.deleted(task_id, await self._driver.run(self._calls.delete(task_id, options)))

    async def download(
        self,
        task: str | VideoTaskResponse,
        to: str | PathLike[str] | BinaryIO,
        *,
        variant: Variant = "video",
        **options: Unpack[RequestOptions],
    ) -> DownloadResult:
        """Store a result in a file (which appears whole or not at all) or write it to an open binary file.

        ``variant`` is ``"video"`` or ``"last_frame"``. A broken transfer goes on where it stopped; so does a
        later download to the same path, even by another process (``.NAME.part`` holds what is there). The
        server's SHA-256 is checked where it is sent.
        """
        from meshapi._download import Fetch
        from meshapi._part import Origin
        from meshapi._sink import sink_for

        task_id = _id(task)
        Fetch(self._calls, task_id, variant, options)  # refuses what is wrong before a file is made
        with sink_for(to, Origin(self._calls.settings.root, task_id, variant)) as sink:
            fetch = Fetch(self._calls, task_id, variant, options, sink.kept)
            async with aclosing(self._driver.stream(fetch.steps())) as parts:
                async for part in parts:
                    sink.take(part)
            return sink.result()

    async def iter_bytes(
        self,
        task: str | VideoTaskResponse,
        *,
        variant: Variant = "video",
        **options: Unpack[RequestOptions],
    ) -> AsyncIterator[bytes]:
        """A result as chunks of bytes, for whoever wants to put them elsewhere."""
        from meshapi._download import Begun, Fetch, Finished
        from meshapi._sink import bytes_only

        fetch = Fetch(self._calls, _id(task), variant, options)
        async with aclosing(self._driver.stream(fetch.steps())) as parts:
            async for part in parts:
                if not isinstance(part, Begun | Finished):
                    yield bytes_only(part)


def _id(task: str | VideoTaskResponse) -> str:
    return task.id if isinstance(task, VideoTaskResponse) else task
