"""The transports of a cassette: over a real one that is listened to, and over the tape alone."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING

import httpx2

from meshapi._async.transport import AsyncOpenResponse, AsyncTransport
from meshapi._exchange import Answer, Failure, Request
from meshapi._sync.transport import OpenResponse, Transport

from .tape import Interaction

if TYPE_CHECKING:
    from .cassette import Cassette

UNFINISHED = Failure("maybe_sent", ConnectionError("the recording ended before the answer"))


class Note:
    """One place on the tape while its answer comes."""

    def __init__(self, cassette: Cassette, request: Request) -> None:
        self._cassette = cassette
        self._place = cassette.reserve(request)
        self._started = time.monotonic()
        self._answer: Answer | None = None
        self._chunks: list[bytes] = []

    def ends(self, outcome: Answer | Failure) -> None:
        """All that came."""
        self._put(outcome, None)

    def opens(self, answer: Answer) -> None:
        """An answer whose body is still to come."""
        self._answer = answer

    def reads(self, chunk: bytes | Failure) -> None:
        """A piece of the body, its end, or how it broke."""
        if isinstance(chunk, bytes) and chunk:
            self._chunks.append(chunk)
        else:
            self.closes(chunk if isinstance(chunk, Failure) else None)

    def closes(self, broken: Failure | None = None) -> None:
        """Nobody reads on."""
        if self._answer is not None:
            answer, self._answer = self._answer, None
            self._put(Answer(answer.status, answer.headers, b"".join(self._chunks)), broken)

    def _put(self, outcome: Answer | Failure, broken: Failure | None) -> None:
        took = time.monotonic() - self._started
        asked = self._cassette.asked(self._place)
        self._cassette.recorded(self._place, Interaction(asked, outcome, broken, took))


class RecordingTransport:
    """Requests over a real transport, noted."""

    def __init__(self, cassette: Cassette, real: Transport) -> None:
        self._cassette = cassette
        self._real = real

    def send(self, request: Request) -> Answer | Failure:
        """Send it and note what came."""
        note = Note(self._cassette, request)
        outcome = self._real.send(request)
        note.ends(outcome)
        return outcome

    def open(self, request: Request) -> tuple[OpenResponse | None, Answer | Failure]:
        """Send it and note what comes."""
        note = Note(self._cassette, request)
        response, outcome = self._real.open(request)
        if response is None or isinstance(outcome, Failure):
            note.ends(outcome)
            return response, outcome
        note.opens(outcome)
        return _Heard(response, note), outcome

    def close(self) -> None:
        """Close all connections."""
        self._real.close()


class _Heard:
    def __init__(self, response: OpenResponse, note: Note) -> None:
        self._response = response
        self._note = note

    def read(self) -> bytes | Failure:
        chunk = self._response.read()
        self._note.reads(chunk)
        return chunk

    def close(self) -> None:
        self._note.closes()
        self._response.close()


class AsyncRecordingTransport:
    """Requests over a real transport, noted."""

    def __init__(self, cassette: Cassette, real: AsyncTransport) -> None:
        self._cassette = cassette
        self._real = real

    async def send(self, request: Request) -> Answer | Failure:
        """Send it and note what came."""
        note = Note(self._cassette, request)
        outcome = await self._real.send(request)
        note.ends(outcome)
        return outcome

    async def open(self, request: Request) -> tuple[AsyncOpenResponse | None, Answer | Failure]:
        """Send it and note what comes."""
        note = Note(self._cassette, request)
        response, outcome = await self._real.open(request)
        if response is None or isinstance(outcome, Failure):
            note.ends(outcome)
            return response, outcome
        note.opens(outcome)
        return _AsyncHeard(response, note), outcome

    async def close(self) -> None:
        """Close all connections."""
        await self._real.close()


class _AsyncHeard:
    def __init__(self, response: AsyncOpenResponse, note: Note) -> None:
        self._response = response
        self._note = note

    async def read(self) -> bytes | Failure:
        chunk = await self._response.read()
        self._note.reads(chunk)
        return chunk

    async def close(self) -> None:
        self._note.closes()
        await self._response.close()


class ReplayingTransport:
    """Requests that are answered from the tape."""

    def __init__(self, cassette: Cassette) -> None:
        self._cassette = cassette

    def send(self, request: Request) -> Answer | Failure:
        """What came when it was recorded."""
        outcome = self._cassette.replayed(request).outcome
        if isinstance(outcome, Failure):
            return outcome
        return Answer(outcome.status, httpx2.Headers(dict(outcome.headers)), outcome.body)

    def open(self, request: Request) -> tuple[Replayed | None, Answer | Failure]:
        """What came when it was recorded, bit by bit."""
        found = self._cassette.replayed(request)
        answer = found.outcome
        if isinstance(answer, Failure):
            return None, answer
        headers = httpx2.Headers(dict(answer.headers))
        if not 200 <= answer.status < 300:
            return None, Answer(answer.status, headers, answer.body)
        return Replayed(answer.body, found.broken), Answer(answer.status, headers)

    def close(self) -> None:
        """There is nothing to close."""


class Replayed:
    """A body from the tape."""

    def __init__(self, body: bytes, broken: Failure | None) -> None:
        self._parts: Iterator[bytes | Failure] = iter([body, *([broken] if broken else [])])

    def read(self) -> bytes | Failure:
        """The next bytes, empty at the end."""
        return next(self._parts, b"")

    def close(self) -> None:
        """Read no more."""
        self._parts = iter(())


class AsyncReplayingTransport:
    """Requests that are answered from the tape; the other tasks of the event loop get their turn."""

    def __init__(self, cassette: Cassette) -> None:
        self._transport = ReplayingTransport(cassette)

    async def send(self, request: Request) -> Answer | Failure:
        """What came when it was recorded."""
        await asyncio.sleep(0)
        return self._transport.send(request)

    async def open(self, request: Request) -> tuple[AsyncOpenResponse | None, Answer | Failure]:
        """What came when it was recorded, bit by bit."""
        await asyncio.sleep(0)
        response, outcome = self._transport.open(request)
        return None if response is None else _AsyncReplayed(response), outcome

    async def close(self) -> None:
        """There is nothing to close."""


class _AsyncReplayed:
    def __init__(self, response: Replayed) -> None:
        self._response = response

    async def read(self) -> bytes | Failure:
        return self._response.read()

    async def close(self) -> None:
        self._response.close()
