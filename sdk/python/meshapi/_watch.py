"""Following a task to its end: by events, else by long-poll, else by polling. A decision without I/O.

A transient fault is a missed look, never the end of the wait; only the deadline and definite refusals end
it early.
"""

from collections.abc import Generator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from . import _paths
from ._calls import Calls, RequestOptions
from ._decoding import decoded
from ._error_decoding import error_from, failure_error
from ._exchange import Answer, Close, Deliver, Failure, Open, Outcome, Read, Request, Send, Sleep
from ._retry import is_transient, wished_seconds
from ._sse import EventParser
from .errors import ConfigurationError, MeshAPIError, ResponseDecodingError, WaitTimeoutError
from .types.task import VideoTaskResponse

# The server sends at least a comment every 15 s; a stream silent for longer is dead or held back by a proxy.
SILENCE_SECONDS = 20.0
# So close to the deadline a stream could overrun it by its silence; polling ends on time.
LAST_STRETCH_SECONDS = 15.0
LONG_POLL_SECONDS = 10
MAX_POLL_SECONDS = 10.0
POLL_GROWTH = 1.5
JITTER = 0.25
_FRUITLESS_STREAMS = 3


@dataclass(frozen=True, slots=True)
class WaitPlan:
    """How long to wait and how often to look: seconds, both."""

    max_wait: float = 1800.0
    poll_interval: float = 2.0

    def __post_init__(self) -> None:
        for name, least in (("max_wait", 0), ("poll_interval", 0.01)):
            value = getattr(self, name)
            if (
                isinstance(value, bool)
                or not isinstance(value, int | float)
                or not least <= value < float("inf")
            ):
                raise ConfigurationError(
                    f"{name} must be a finite number of seconds of at least {least}, got {value!r}"
                )


Steps = Generator[Any, Outcome, bool]


class Watch:
    """One wait for one task. ``steps()`` delivers it at every change, the last time when it has ended."""

    def __init__(self, calls: Calls, task_id: str, plan: WaitPlan, options: RequestOptions) -> None:
        self._calls = calls
        self._service = calls.service
        self._ambient = calls.ambient
        self._task_id = task_id
        self._plan = plan
        self._looks = calls.request("GET", _paths.generation(task_id), options)
        self._stream = calls.request("GET", _paths.generation(task_id, "events"), options)
        self._deadline = self._ambient.monotonic() + plan.max_wait
        self._parser = EventParser()
        self._last: VideoTaskResponse | None = None
        self._shown: object = None
        self._fault: MeshAPIError | None = None
        self._stream_headers: Mapping[str, str] = {}
        self._held_back = False
        self._events_missing = False

    def steps(self) -> Generator[Any, Outcome, None]:
        """The whole wait. Raises WaitTimeoutError at the deadline, and what the server definitely refuses."""
        if self._service.has_events and (yield from self._by_events()):
            return
        yield from self._by_polling()

    def _by_events(self) -> Steps:
        """True when the task has ended, False when another way has to be taken."""
        fruitless = 0
        while fruitless < _FRUITLESS_STREAMS and self._remaining() > LAST_STRETCH_SECONDS:
            before = self._shown
            opened = yield Open(self._event_request())
            if isinstance(opened, Answer) and opened.status == 200 and _is_event_stream(opened):
                self._stream_headers = opened.headers
                if (yield from self._read_events()):
                    return True
                if self._held_back:
                    self._service.has_events = False
                if self._held_back or self._remaining() <= LAST_STRETCH_SECONDS:
                    return False
            elif isinstance(opened, Failure) or is_transient(opened):
                self._missed(opened, self._stream)
            else:
                yield Close()
                self._refused(opened)
                return False
            fruitless = 0 if self._shown != before else fruitless + 1
            yield Sleep(self._pause(fruitless, opened))
        return False

    def _read_events(self) -> Steps:
        """Whether the task has ended; sets ``_held_back`` when the stream stood but nothing came through."""
        heard = False
        while True:
            chunk = yield Read()
            if not isinstance(chunk, bytes) or not chunk:
                yield Close()
                if isinstance(chunk, Failure):
                    self._missed(chunk, self._stream)
                    self._held_back = not heard and chunk.kind == "timed_out"
                return False
            heard = True
            for event in self._parser.feed(chunk):
                if event.event == "task" and (yield from self._told(event.data)):
                    yield Close()
                    return True
            if self._remaining() <= LAST_STRETCH_SECONDS:
                yield Close()
                return False

    def _refused(self, opened: Outcome) -> None:
        """The server has no stream for this task: remember it, or raise what it definitely says."""
        if isinstance(opened, Answer) and opened.status == 404:
            self._events_missing = True  # or the task is: the poll that follows finds out
        elif isinstance(opened, Answer) and (opened.status in {405, 406, 410, 501} or opened.status < 300):
            self._service.has_events = False
        elif isinstance(opened, Answer):
            raise error_from(opened, self._ambient.unix())

    def _by_polling(self) -> Steps:
        interval = self._plan.poll_interval
        while True:
            held = self._hold_seconds()
            started = self._ambient.monotonic()
            outcome = yield Send(self._look(held))
            task = self._seen(outcome)
            if task is not None and self._events_missing:
                self._service.has_events = False
            if task is not None and (yield from self._deliver(task)):
                return True
            if held and task is not None:
                took = self._ambient.monotonic() - started
                self._service.has_long_poll = took >= held / 2
            remaining = self._remaining()
            if remaining <= 0:
                raise WaitTimeoutError(self._task_id, self._plan.max_wait, self._last) from self._fault
            if task is None or not held or not self._service.has_long_poll:
                wish = wished_seconds(outcome, self._ambient.unix()) or 0.0
                wait = max(interval, wish) + JITTER * interval * self._ambient.random()
                yield Sleep(min(wait, remaining))
                interval = max(self._plan.poll_interval, min(interval * POLL_GROWTH, MAX_POLL_SECONDS))

    def _hold_seconds(self) -> int:
        return max(0, min(LONG_POLL_SECONDS, int(self._remaining()))) if self._service.has_long_poll else 0

    def _look(self, held: int) -> Request:
        url, timeout = self._looks.url, self._looks.timeout
        if held:
            url += f"{'&' if '?' in url else '?'}wait={held}"
        if isinstance(timeout, int | float) or timeout is None:
            timeout = held + max(1.0, min(timeout or 60.0, self._remaining() - held))
        return replace(self._looks, url=url, timeout=timeout)

    def _seen(self, outcome: Outcome) -> VideoTaskResponse | None:
        """The task, None for a missed look; raises a definite refusal."""
        if isinstance(outcome, Answer):
            self._service.observe(outcome)
            if outcome.status < 300:
                try:
                    return decoded(VideoTaskResponse, outcome)
                except ResponseDecodingError as error:
                    self._fault = error
                    return None
            if not is_transient(outcome):
                raise error_from(outcome, self._ambient.unix())
        self._missed(outcome, self._looks)
        return None

    def _told(self, data: str) -> Steps:
        try:
            task = decoded(VideoTaskResponse, Answer(200, self._stream_headers, data.encode()))
        except ResponseDecodingError as error:
            self._fault = error
            return False
        return (yield from self._deliver(task))

    def _deliver(self, task: VideoTaskResponse) -> Steps:
        shown = (task.status, task.progress, task.queue_position)
        changed, self._shown, self._last = shown != self._shown, shown, task
        if changed or task.is_terminal:
            yield Deliver(task)
        return task.is_terminal

    def _missed(self, outcome: Outcome, request: Request) -> None:
        if isinstance(outcome, Answer):
            self._fault = error_from(outcome, self._ambient.unix())
        elif isinstance(outcome, Failure):
            self._fault = failure_error(outcome, request)

    def _event_request(self) -> Request:
        headers = {**self._stream.headers, "Accept": "text/event-stream"}
        last_event_id = self._parser.last_event_id
        self._parser = EventParser()
        if last_event_id:
            headers["Last-Event-ID"] = self._parser.last_event_id = last_event_id
        return replace(self._stream, headers=headers, timeout=min(SILENCE_SECONDS, self._remaining()))

    def _pause(self, fruitless: int, opened: Outcome) -> float:
        policy = self._calls.settings.retry
        wish = wished_seconds(opened, self._ambient.unix())
        if self._parser.retry_milliseconds is not None:
            wish = max(wish or 0.0, self._parser.retry_milliseconds / 1000)
        return min(
            policy.wait(max(0, fruitless - 1), wish, self._ambient.random()), max(0.0, self._remaining())
        )

    def _remaining(self) -> float:
        return self._deadline - self._ambient.monotonic()


def _is_event_stream(answer: Answer) -> bool:
    return answer.headers.get("content-type", "").strip().lower().startswith("text/event-stream")
