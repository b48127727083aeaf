"""uvicorn's HTTP/1.1 connection with the bounds that it leaves to a proxy in front.

uvicorn (0.54) closes an idle connection between two requests, but none that never sends a whole head,
that stands still in the middle of a body, or that does not read its answer; and with httptools no head is too
large for it. Here each phase of a connection has a deadline, and the head a size.
"""

import asyncio
import enum
from collections import Counter
from typing import Any

import httptools
import structlog
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from . import refusal
from .limits import Limits, framing_excess
from .refusal import Refusal

log = structlog.get_logger("meshapi.connections")

_LINGER = 2.0  # s in which a client that is refused may stop sending and read why


class _Phase(enum.Enum):
    """What the next byte belongs to."""

    NOTHING = enum.auto()  # came yet
    BETWEEN = enum.auto()
    HEAD = enum.auto()
    BODY = enum.auto()
    REFUSED = enum.auto()  # thrown away


class Connection(HttpToolsProtocol):
    """One connection. The subclass made by :func:`limited` knows its limits."""

    limits = Limits()
    addresses: Counter[str] = Counter()  # noqa: RUF012 - how many connections each has; one per server

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._phase = _Phase.NOTHING
        self._refusal: Refusal | None = None
        self._reading: asyncio.TimerHandle | None = None
        self._writing: asyncio.TimerHandle | None = None
        self._head_bytes = self._header_count = 0
        self._body_began = 0.0
        self._received = self._delivered = 0
        self._begun = False

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Bound how many there are, and give this one the time of a head."""
        super().connection_made(transport)
        self.addresses[self._address()] += 1
        if self._too_many():
            self._refuse(refusal.FULL)
            return
        self._give(self.limits.head_timeout)

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget every deadline."""
        self._leave()
        self._cancel_reading()
        self._cancel_writing()
        self._unset_keepalive_if_required()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Feed the parser, then decide how long the rest may take."""
        if self.transport.is_closing() or self._phase is _Phase.REFUSED:
            return
        self._unset_keepalive_if_required()
        self._begun = False
        if self._phase is _Phase.BODY:
            self._received += len(data)
        try:
            self._feed(data)
        except httptools.HttpParserError:
            self._refuse(self._refusal or refusal.NOT_HTTP)
            return
        if self._phase is _Phase.HEAD and not self._begun:
            # What the parser gathers of one header is seen by nobody before the header is complete.
            self._head_bytes += len(data)
        if self._head_bytes > self.limits.head:
            self._refuse(refusal.HEAD_TOO_LARGE)
        elif self._phase is _Phase.BODY and framing_excess(self._received, self._delivered):
            self._refuse(refusal.NOT_HTTP)
        else:
            self._set_deadline()

    def _feed(self, data: bytes) -> None:
        while data:
            try:
                self.parser.feed_data(data)
            except httptools.HttpParserUpgrade as offer:
                # No protocol but this one is spoken: the request was taken as if the offer were not there.
                data = data[offer.args[0] :]
            else:
                return

    def _should_upgrade_to_ws(self) -> bool:
        return False

    def on_message_begin(self) -> None:
        """A head begins."""
        super().on_message_begin()
        self._phase = _Phase.HEAD
        self._begun = True
        self._head_bytes = self._header_count = 0

    def on_url(self, url: bytes) -> None:
        """Bound the request line."""
        super().on_url(url)
        if len(self.url) > self.limits.target:
            self._stop(refusal.TARGET_TOO_LONG)

    def on_header(self, name: bytes, value: bytes) -> None:
        """Bound the headers, and what may follow a chunked body."""
        self._header_count += 1
        self._head_bytes += len(name) + len(value)
        if self._head_bytes > self.limits.head or self._header_count > self.limits.headers:
            self._stop(refusal.HEAD_TOO_LARGE)
        if self._phase is _Phase.HEAD:  # trailers are no headers of the request (RFC 9110 section 6.5.1)
            super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """A body may follow."""
        self._head_bytes = 0
        self._phase = _Phase.BODY
        self._received = self._delivered = 0
        self._body_began = self.loop.time()
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """Count what is of use."""
        self._delivered += len(body)
        super().on_body(body)

    def on_message_complete(self) -> None:
        """The request is whole: from here on the server takes its time."""
        self._phase = _Phase.BETWEEN
        self._cancel_reading()
        super().on_message_complete()

    def pause_writing(self) -> None:
        """The client does not read its answer as fast as it comes; it has a while to go on."""
        super().pause_writing()
        if self._writing is None:
            self._writing = self.loop.call_later(self.limits.stall_timeout, self._unread)

    def resume_writing(self) -> None:
        """The client reads."""
        super().resume_writing()
        self._cancel_writing()

    def _set_deadline(self) -> None:
        """A head has one from its first byte on; a body one that moves with what has come of it."""
        if self._phase is _Phase.BODY and not self._is_idle():
            self._cancel_reading()
            self._give(self._rest_of_body())
        elif self._reading is None and self._phase is _Phase.BODY:
            self._give(self.limits.stall_timeout)  # answered already: what still comes is thrown away
        elif self._reading is None and (self._phase is _Phase.HEAD or self._is_idle()):
            self._give(self.limits.head_timeout)

    def _rest_of_body(self) -> float:
        passed = self.loop.time() - self._body_began
        return max(0.0, min(self.limits.stall_timeout, self.limits.body_deadline(self._delivered) - passed))

    def _is_idle(self) -> bool:
        return self.cycle is None or self.cycle.response_complete

    def _give(self, seconds: float) -> None:
        self._reading = self.loop.call_later(seconds, self._late)

    def _late(self) -> None:
        self._reading = None
        if self._phase is _Phase.BODY and self.flow.read_paused:
            self._give(self.limits.stall_timeout)  # it is we who do not read
        elif self._phase in {_Phase.NOTHING, _Phase.REFUSED}:
            self.transport.close()  # nothing was asked, or all is said
        else:
            self._refuse(refusal.TOO_SLOW)

    def _unread(self) -> None:
        log.debug("answer is not read", client=self._address())
        self.transport.abort()

    def _stop(self, reason: Refusal) -> None:
        """Out of a callback of the parser."""
        self._refusal = reason
        raise ValueError(reason.message)

    def _refuse(self, reason: Refusal) -> None:
        """Say why and close; where an earlier request still waits for its answer, close only."""
        self._cancel_reading()
        log.debug("connection refused", client=self._address(), reason=reason.message)
        if self._is_next_answer():
            asked = self.headers if self._phase in {_Phase.HEAD, _Phase.BODY} else ()
            self.transport.write(reason.encoded(asked))
        if self.cycle is not None:
            self.cycle.disconnected = True
            self.cycle.message_event.set()
        if reason.linger and self.transport.can_write_eof():
            # Closed at once, what is still on its way would have the client's system discard the answer.
            self._phase = _Phase.REFUSED
            self.transport.write_eof()
            self._give(_LINGER)
        else:
            self.transport.close()

    def _is_next_answer(self) -> bool:
        """Whether what is written now would be taken for the answer to what is refused."""
        if self._is_idle():
            return True
        return self._phase is _Phase.BODY and not self.pipeline and not self.cycle.response_started

    def _too_many(self) -> bool:
        bound = self.limits.address_bound(self._address())
        crowded = bound is not None and self.addresses[self._address()] > bound
        return crowded or len(self.connections) > self.limits.connections

    def _leave(self) -> None:
        address = self._address()
        self.addresses[address] -= 1
        if self.addresses[address] <= 0:
            del self.addresses[address]

    def _address(self) -> str:
        return self.client[0] if self.client else ""

    def _cancel_reading(self) -> None:
        if self._reading is not None:
            self._reading.cancel()
            self._reading = None

    def _cancel_writing(self) -> None:
        if self._writing is not None:
            self._writing.cancel()
            self._writing = None


def limited(limits: Limits) -> type[Connection]:
    """The connections of a server with these limits; uvicorn makes them from a class."""
    return type("LimitedConnection", (Connection,), {"limits": limits, "addresses": Counter()})
