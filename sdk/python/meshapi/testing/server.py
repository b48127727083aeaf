"""A service in memory: the API's endpoints over scripted tasks and a fake clock."""

from __future__ import annotations

import json
import threading
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any, TypedDict, Unpack
from urllib.parse import parse_qsl, unquote, urlsplit

from meshapi._exchange import Answer, Failure, Request

from . import endpoints
from .clock import FakeClock
from .faults import Fault
from .scripts import TaskScript, succeeds
from .tasks import MockTask

if TYPE_CHECKING:
    from meshapi import AsyncMeshAPI, MeshAPI, RetryPolicy
    from meshapi._async.transport import AsyncWiring
    from meshapi._settings import Timeout
    from meshapi._sync.transport import Wiring

BASE_URL = "https://mock.meshapi.invalid"
FILES_URL = "https://files.mock.meshapi.invalid"
API_KEY = "rsk_mock"
OPERATIONS = frozenset(
    {
        *("generate", "quote", "retrieve", "list", "timeline", "events", "cancel", "delete", "download"),
        *("models", "health"),
    }
)


class ClientSettings(TypedDict, total=False):
    """What a client over a mock takes; the same as any other, but for ``http_client``."""

    base_url: str | None
    api_key: str | None
    token: str | None
    timeout: Timeout
    max_retries: int | None
    retry: RetryPolicy | None
    webhook_secret: str | None


@dataclass(frozen=True, slots=True)
class MockRequest:
    """A request as it arrived, without the API key. ``operation`` is the method it is for."""

    operation: str
    method: str
    path: str
    query: tuple[tuple[str, str], ...]
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)

    def json(self) -> Any:
        """The body, parsed."""
        return json.loads(self.body)


class MockServer:
    """A service in memory. ``clock`` is its time, and that of every client over it; nothing ever sleeps.

    ``script`` says what the next tasks do, ``fault`` what the next requests meet. ``requests`` lists what was
    asked, ``tasks`` what was accepted, ``paid`` how many that are. ``cost_usd`` is what each task costs, None
    for a price that is unknown. ``hosted`` makes it speak like the hosted service: no events, no
    long-polling, no idempotency keys, ``queued`` and ``cancelled`` as statuses. It may be shared by threads.
    """

    def __init__(
        self, *, hosted: bool = False, cost_usd: str | None = "0", clock: FakeClock | None = None
    ) -> None:
        self.hosted = hosted
        self.cost_usd = cost_usd
        self.clock = clock or FakeClock()
        self.requests: list[MockRequest] = []
        self.tasks: dict[str, MockTask] = {}
        self.created: list[MockTask] = []
        self.keys: dict[str, tuple[str, bytes]] = {}
        self._scripts: deque[TaskScript] = deque()
        self._faults: list[tuple[str, Fault]] = []
        self._mutex = threading.RLock()

    @property
    def paid(self) -> int:
        """How many videos were accepted, those that were deleted since included."""
        return len(self.created)

    def script(self, *scripts: TaskScript) -> None:
        """What the next tasks do, one script a task; every further task succeeds after ten seconds."""
        self._scripts.extend(scripts)

    def fault(self, *faults: Fault, on: str = "any") -> None:
        """What the next requests meet, one fault a request: any, or those of one operation.

        Operations are ``generate``, ``quote``, ``retrieve`` (the looks of a wait, too), ``events``, ``list``,
        ``timeline``, ``cancel``, ``delete``, ``download``, ``models`` and ``health``.
        """
        if on != "any" and on not in OPERATIONS:
            raise ValueError(f"on must be 'any' or one of {', '.join(sorted(OPERATIONS))}, got {on!r}")
        self._faults += [(on, fault) for fault in faults]

    def client(self, **settings: Unpack[ClientSettings]) -> MeshAPI:
        """A client over this server; it needs no key and no base URL."""
        from meshapi import MeshAPI

        return MeshAPI(**{"base_url": BASE_URL, **_with_key(settings), "http_client": self})

    def async_client(self, **settings: Unpack[ClientSettings]) -> AsyncMeshAPI:
        """An asynchronous client over this server; it needs no key and no base URL."""
        from meshapi import AsyncMeshAPI

        return AsyncMeshAPI(**{"base_url": BASE_URL, **_with_key(settings), "http_client": self})

    def wire(self, headers: dict[str, str]) -> Wiring:
        """What a ``MeshAPI(http_client=server)`` is built on."""
        from .transport import wiring

        return wiring(self, headers)

    def wire_async(self, headers: dict[str, str]) -> AsyncWiring:
        """What an ``AsyncMeshAPI(http_client=server)`` is built on."""
        from .transport import async_wiring

        return async_wiring(self, headers)

    def serve(self, request: Request, headers: Mapping[str, str]) -> endpoints.Served:
        """Answer one request, or let it meet its fault. No I/O; time passes on the clock only."""
        with self._mutex:
            asked = _read(request, headers)
            self.requests.append(asked)
            fault = self._fault_for(asked.operation)
            if fault is None:
                return self._signed(endpoints.serve(self, asked))
            if fault.accepted:
                endpoints.serve(self, asked)
            elif fault.after_bytes and asked.operation == "download":
                return self._signed(endpoints.serve(self, asked), fault.after_bytes)
            return self._met(fault, request)

    def accept(self, body: dict[str, Any]) -> MockTask:
        """A new task of the next script."""
        script = self._scripts.popleft() if self._scripts else succeeds()
        task = MockTask(f"task_{len(self.created) + 1:04d}", body, script, self.clock.now, self.cost_usd)
        self.tasks[task.id] = task
        self.created.append(task)
        return task

    def costs_more_than(self, limit: object) -> bool:
        """Whether a task costs more than a ``max_cost_usd``; one that is no number limits nothing here."""
        try:
            return self.cost_usd is not None and Decimal(self.cost_usd) > Decimal(str(limit))
        except InvalidOperation:
            return False

    def _fault_for(self, operation: str) -> Fault | None:
        for index, (on, fault) in enumerate(self._faults):
            if on == operation or (on == "any" and operation != "health"):
                del self._faults[index]
                return fault
        return None

    def _met(self, fault: Fault, request: Request) -> endpoints.Served:
        if fault.kind == "answer":
            headers = {"x-request-id": f"req_mock_{len(self.requests)}"}
            headers |= {name.lower(): value for name, value in fault.headers.items()}
            return endpoints.Served(Answer(fault.status, headers, fault.body))
        if fault.kind == "timed_out":
            patience = request.timeout
            self.clock.advance(float(patience) if isinstance(patience, int | float) else 60.0)
            return endpoints.Served(Failure("timed_out", TimeoutError("scripted: no answer in time")))
        told = "connection refused" if fault.kind == "not_sent" else "connection reset"
        return endpoints.Served(Failure(fault.kind, ConnectionError(f"scripted: {told}")))

    def _signed(self, served: endpoints.Served, after_bytes: int | None = None) -> endpoints.Served:
        """The answer with the headers that all have, perhaps broken off after some bytes."""
        answer = served.answer
        if not isinstance(answer, Answer):
            return served
        headers = {"x-request-id": f"req_mock_{len(self.requests)}", **answer.headers}
        if not self.hosted:
            headers["x-mesh-idempotency"] = "supported"
        body = answer.body if after_bytes is None else answer.body[:after_bytes]
        broken = None if after_bytes is None else Failure("maybe_sent", ConnectionError("scripted: reset"))
        return endpoints.Served(Answer(answer.status, headers, body), served.events, broken)


def _with_key(settings: ClientSettings) -> dict[str, Any]:
    given: dict[str, Any] = dict(settings)
    if not given.get("api_key") and not given.get("token"):
        given["api_key"] = API_KEY
    return given


def _read(request: Request, headers: Mapping[str, str]) -> MockRequest:
    parts = urlsplit(request.url)
    known = {name.lower(): value for name, value in headers.items() if name.lower() != "authorization"}
    query = tuple(parse_qsl(parts.query, keep_blank_values=True))
    operation = "download" if request.url.startswith(FILES_URL) else _operation(request.method, parts.path)
    return MockRequest(operation, request.method, parts.path, query, known, request.body or b"")


def _operation(method: str, path: str) -> str:
    _, _, after = path.partition("/v1/")
    names = [unquote(part) for part in after.split("/")]
    match method, names:
        case "POST", ["video", "generations"]:
            return "generate"
        case "GET", ["video", "generations"]:
            return "list"
        case "POST", ["video", "quote"]:
            return "quote"
        case "GET", ["video", "generations", _]:
            return "retrieve"
        case "DELETE", ["video", "generations", _]:
            return "delete"
        case "GET", ["video", "generations", _, "content"]:
            return "download"
        case _, ["video", "generations", _, ("timeline" | "events" | "cancel") as action]:
            return action
        case "GET", ["models", *_]:
            return "models"
    return "health" if path.endswith("/healthz") else "unknown"
