# Generated from _async/driver.py by generate_sync.py; edit that file, not this one.
"""Performs what the decisions ask for. The only place of the package that does network I/O."""

from __future__ import annotations

import logging
import time
from collections.abc import Generator
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


class Driver:
    """Drives generators over one HTTP client."""

    def __init__(self, client: httpx2.Client, headers: dict[str, str]) -> None:
        self._client = client
        self._headers = headers

    def run(self, steps: Exchange) -> Answer:
        """Perform an exchange; return its answer or raise its error."""
        outcome: Outcome = None
        while True:
            try:
                command = steps.send(outcome)
            except StopIteration as end:
                answer: Answer = end.value
                return answer
            if isinstance(command, Send):
                outcome = self._send(command.request)
            else:
                self._sleep(command)
                outcome = None

    def stream(self, steps: Generator[Any, Outcome, None]) -> Generator[Any, None]:
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
                    outcome = response.read()
                elif isinstance(command, Send):
                    outcome = self._send(command.request)
                elif isinstance(command, Sleep):
                    self._sleep(command)
                elif isinstance(command, Open):
                    response, outcome = self._open(command.request)
                elif isinstance(command, Close) and response is not None:
                    response.close()
                    response = None
        finally:
            steps.close()
            if response is not None:
                response.close()

    def _send(self, request: Request) -> Answer | Failure:
        started = time.monotonic()
        try:
            response = self._client.send(self._built(request), follow_redirects=request.method == "GET")
            outcome: Answer | Failure = Answer(response.status_code, response.headers, response.content)
        except FAULTS as error:
            outcome = failure(error)
        if logger.isEnabledFor(logging.INFO):
            tell(request, outcome, started)
        return outcome

    def _open(self, request: Request) -> tuple[_OpenResponse | None, Answer | Failure]:
        started = time.monotonic()
        try:
            response = self._client.send(self._built(request), stream=True, follow_redirects=True)
            if response.is_success:
                outcome: Answer | Failure = Answer(response.status_code, response.headers)
                tell(request, outcome, started)
                return _OpenResponse(response), outcome
            body = response.read()
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

    def _sleep(self, command: Sleep) -> None:
        logger.debug("waiting %.2f s", command.seconds)
        pause(command.seconds)


class _OpenResponse:
    """A response whose body is read bit by bit."""

    def __init__(self, response: httpx2.Response) -> None:
        self._response = response
        self._chunks = response.iter_raw()

    def read(self) -> bytes | Failure:
        """The next bytes, empty at the end."""
        try:
            return next(self._chunks, b"")
        except FAULTS as error:
            return failure(error)

    def close(self) -> None:
        """Give the connection back, or up."""
        self._response.close()
