"""Server-Sent Events, parsed from bytes as they come (WHATWG HTML section 9.2.6; contract: sse). No I/O."""

import codecs
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ServerSentEvent:
    """One dispatched event; ``id`` is the last event id as it stands then."""

    event: str
    data: str
    id: str


class EventParser:
    """Feed it bytes, cut anywhere; it returns the events they complete."""

    def __init__(self) -> None:
        self.last_event_id = ""
        self.retry_milliseconds: int | None = None
        self._decoder = codecs.getincrementaldecoder("utf-8")(errors="replace")
        self._at_start = True
        self._after_carriage_return = False
        self._line = ""
        self._event = ""
        self._data: list[str] = []

    def feed(self, chunk: bytes) -> list[ServerSentEvent]:
        """The events that end within ``chunk``."""
        text = self._decoder.decode(chunk)
        if self._at_start and text:
            text = text.removeprefix("\ufeff")
            self._at_start = False
        events = []
        for line in self._lines(text):
            event = self._take(line)
            if event is not None:
                events.append(event)
        return events

    def _lines(self, text: str) -> list[str]:
        # Only CR, LF and CRLF end a line; str.splitlines knows eight more.
        if self._after_carriage_return and text:
            text = text.removeprefix("\n")
            self._after_carriage_return = False
        if text.endswith("\r"):
            self._after_carriage_return = True
        *lines, rest = (self._line + text.replace("\r\n", "\n").replace("\r", "\n")).split("\n")
        self._line = rest
        return lines

    def _take(self, line: str) -> ServerSentEvent | None:
        if not line:
            return self._dispatch()
        name, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if name == "data":
            self._data.append(value)
        elif name == "event":
            self._event = value
        elif name == "id" and "\0" not in value:
            self.last_event_id = value
        elif name == "retry" and value.isascii() and value.isdigit():
            self.retry_milliseconds = int(value)
        return None

    def _dispatch(self) -> ServerSentEvent | None:
        event, data = self._event or "message", self._data
        self._event, self._data = "", []
        return ServerSentEvent(event, "\n".join(data), self.last_event_id) if data else None
