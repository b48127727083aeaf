"""Performs what the decisions ask for. The only place of the package that does network I/O."""

from __future__ import annotations

import logging
import time
from collections.abc import AsyncGenerator, Generator
from typing import Any

import httpx2

from meshapi._exchange import (
    Answer,
    Close,
    Deliver,
    Exchange,
    Failure,
    Open,
    Outcome,
    Read,
    Request,
    Send,
    Sleep,
)
from meshapi._log import logger
from meshapi._transport import FAULTS, failure, headers_of, tell

from .pause import pause


class AsyncDriver:
    """Drives generators over one HTTP client."""

    def __init__(self, client: httpx2.AsyncClient, headers: dict[str, str]) -> None:
        self._client = client
        self._headers = headers

    async def run(self, steps: Exchange) -> Answer:
        """Perform an exchange; return its answer or raise its error."""
        outcome: Outcome = None
        while True:
            try:
                command = steps.send(outcome)
            except StopIteration as end:
                answer: Answer = end.value
                return answer
            if isinstance(command, Send):
                outcome = await self._send(command.request)
            else:
                await self._sleep(command)
                outcome = None

    async def stream(self, steps: Generator[Any, Outcome, None]) -> AsyncGenerator[Any, None]:
        """Perform a streaming decision; yield what it delivers."""
        response: _OpenResponse | None = None
        outcome: Outcome = None
        try:
            while True:
                try:
                    command = steps.send(outcome)
                except StopIteration:
                    return
                outcome = None
                if isinstance(command, Deliver):
                    yield command.value
                elif isinstance(command, Read) and response is not None:
                    outcome = await response.read()
                elif isinstance(command, Send):
                    outcome = await self._send(command.request)
                elif isinstance(command, Sleep):
                    await self._sleep(command)
                elif isinstance(command, Open):
                    response, outcome = await self._open(command.request)
                elif isinstance(command, Close) and response is not None:
                    await response.close()
                    response = None
        finally:
            steps.close()
            if response is not None:
                await response.close()

    async def _send(self, request: Request) -> Answer | Failure:
        started = time.monotonic()
        try:
            response = await self._client.send(self._built(request), follow_redirects=request.method == "GET")
            outcome: Answer | Failure = Answer(response.status_code, response.headers, response.content)
        except FAULTS as error:
            outcome = failure(error)
        if logger.isEnabledFor(logging.INFO):
            tell(request, outcome, started)
        return outcome

    async def _open(self, request: Request) -> tuple[_OpenResponse | None, Answer | Failure]:
        started = time.monotonic()
        try:
            response = await self._client.send(self._built(request), stream=True, follow_redirects=True)
            if response.is_success:
                outcome: Answer | Failure = Answer(response.status_code, response.headers)
                tell(request, outcome, started)
                return _OpenResponse(response), outcome
            body = await response.aread()
            outcome = Answer(response.status_code, response.headers, body)
        except FAULTS as error:
            outcome = failure(error)
        tell(request, outcome, started)
        return None, outcome

    def _built(self, request: Request) -> httpx2.Request:
        return self._client.build_request(
            request.method,
            request.url,
            headers=headers_of(request, self._headers),
            content=request.body,
            timeout=request.timeout,
        )

    async def _sleep(self, command: Sleep) -> None:
        logger.debug("waiting %.2f s", command.seconds)
        await pause(command.seconds)


class _OpenResponse:
    """A response whose body is read bit by bit."""

    def __init__(self, response: httpx2.Response) -> None:
        self._response = response
        self._chunks = response.aiter_raw()

    async def read(self) -> bytes | Failure:
        """The next bytes, empty at the end."""
        try:
            return await anext(self._chunks, b"")
        except FAULTS as error:
            return failure(error)

    async def close(self) -> None:
        """Give the connection back, or up."""
        await self._response.aclose()
