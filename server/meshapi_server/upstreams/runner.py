"""An adapter brought to life: the only place where an upstream is really asked.

``HttpUpstream`` implements RemoteUpstream (``contract.py``) for any adapter: it performs the adapter's talks,
adds the credentials, bounds time and size, and lets nothing out that could hold a secret.
"""

import asyncio
import logging
import tempfile
import time
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import TypeVar
from urllib.parse import quote, urlencode, urlsplit

import structlog
from msgspec.structs import replace

from .adapter import Adapter, Announcement, Heard, Login, Talk
from .contract import (
    Accepted,
    ContentItem,
    Deferred,
    FetchInput,
    InputUnavailable,
    Job,
    Limits,
    Look,
    Progress,
    Rejected,
    RemoteUpstream,
    Rendered,
    TaskError,
    Unserved,
)
from .credentials import Credentials
from .download import Download
from .http import HttpRequest, HttpResponse, Unreadable, data_uri, shown
from .media import media_type_of
from .redaction import Redactor
from .refusals import Unclear
from .transport import NoAnswer, NotSent, Timeouts, Transport

T = TypeVar("T")
Ask = Callable[[HttpRequest], Awaitable[HttpResponse]]
log = structlog.get_logger("meshapi.upstream")

_MOST_STEPS = 40  # requests of one talk; more is a circle
_UNREACHABLE_SECONDS = 2.0
_LOGIN_MARGIN = 60_000  # ms
_PORTS = {"http": 80, "https": 443}


class HttpUpstream(RemoteUpstream):
    """A remote upstream behind an adapter. Implements RemoteUpstream; close it when done."""

    def __init__(
        self,
        adapter: Adapter,
        credentials: Credentials,
        clock: Callable[[], int],
        *,
        base_url: str = "",
        timeouts: Timeouts | None = None,
        fetch_input: FetchInput | None = None,
        limits: Limits | None = None,
    ) -> None:
        self.name = adapter.name
        self.limits = limits or adapter.limits
        self.abilities = adapter.abilities
        self.adapter = adapter
        self._base = (base_url or adapter.base_url).rstrip("/")
        self._below = f"{self._base}/"
        self._credentials = credentials
        self._clock = clock
        self._fetch_input = fetch_input
        self._transport = Transport(clock, timeouts or Timeouts())
        self._redactor = Redactor(credentials.values())
        self._login: Login | None = None
        self._kept: dict[str, tuple[float, HttpResponse]] = {}

    def __repr__(self) -> str:
        return f"HttpUpstream({self.name}, {shown(self._base)})"

    async def submit(self, job: Job) -> Accepted:
        """Ask once (see RemoteUpstream)."""
        call = _Submission(self._exchange, self._sign_in, self._transport.timeouts.total)
        try:
            return await _perform(self.adapter.submit(await self._inlined(job)), call.ask)
        except Exception as fault:  # noqa: BLE001 - every one is judged
            problem = fault if call.asked else _certain(fault)
        raise self._redactor.exception(problem)

    async def find(self, job: Job) -> Accepted | None:
        """Look a submission up by its token."""
        return await self._run(lambda: self.adapter.find(job))

    async def poll(self, looks: Sequence[Look]) -> Sequence[Progress | Exception]:
        """Where each of the tasks stands, in their order."""
        answers = await self._run(lambda: self.adapter.poll(looks))
        if len(answers) != len(looks):
            raise RuntimeError(f"{self.name} answered {len(answers)} looks of {len(looks)}")
        return [self._safe(answer) for answer in answers]

    async def cancel(self, reference: str, job: Job) -> bool:
        """Ask the upstream to stop."""
        return await self._run(lambda: self.adapter.cancel(Look(reference=reference, job=job)))

    async def hear(self, announcement: Announcement) -> Heard:
        """Verify and read a callback. Raises Forged, or another exception when it cannot be told."""
        return await self._run(lambda: self.adapter.hear(announcement, self._credentials))

    async def fetch(self, reference: str, job: Job, workspace: Path) -> Rendered:
        """Ask where the result is now, and bring it into ``workspace``."""
        result = await self._run(lambda: self.adapter.result(Look(reference=reference, job=job)))
        last_frame = None
        try:
            video = await self._bring(result.video, workspace / "video.mp4")
            if result.last_frame is not None:
                last_frame = await self._bring(result.last_frame, workspace / "last_frame.png")
            return Rendered(video=video, facts=result.facts, last_frame=last_frame)
        except Exception as fault:  # noqa: BLE001 - raised again, without secrets
            problem = fault
        raise self._redactor.exception(problem)

    async def close(self) -> None:
        """Close every connection."""
        await self._transport.close()

    async def _run(self, talk: Callable[[], Talk[T]]) -> T:
        try:
            return await _perform(talk(), self._exchange)
        except Exception as fault:  # noqa: BLE001 - raised again, without secrets
            problem = fault
        raise self._redactor.exception(problem)

    async def _exchange(
        self, request: HttpRequest, *, fresh: bool = False, seconds: float | None = None
    ) -> HttpResponse:
        url = self._url(request)
        kept, until = (self._kept.get(url), time.monotonic()) if request.keep_for else (None, 0.0)
        if kept is not None and kept[0] > until:
            return kept[1]
        if request.authorised:
            if not self._own(url):
                raise RuntimeError(f"{self.name} would send its credentials to {shown(url)}")
            await self._sign_in()
        began = time.monotonic()
        response = await self._transport.ask(
            url,
            request,
            self._headers(url, request),
            largest=self.adapter.largest_answer,
            fresh=fresh,
            seconds=seconds,
        )
        if log.is_enabled_for(logging.DEBUG):
            log.debug(
                "asked an upstream",
                upstream=self.name,
                method=request.method,
                url=self._redactor.text(shown(url)),
                status=response.status,
                ms=round((time.monotonic() - began) * 1000),
            )
        if response.status == 401:
            self._login = None
        if request.keep_for and response.ok:
            self._kept[url] = (time.monotonic() + request.keep_for, response)
        return response

    def _url(self, request: HttpRequest) -> str:
        url = self._base + request.url if request.url.startswith("/") else request.url
        if request.query:
            url += ("&" if "?" in url else "?") + urlencode(request.query, quote_via=quote)
        return url

    def _headers(self, url: str, request: HttpRequest) -> dict[str, str]:
        headers = dict(request.headers)
        if request.authorised and self._own(url):
            login = {"token": self._login.token} if self._login else {}
            headers |= self.adapter.authorise(request, self._credentials.with_(**login), self._clock())
        return headers

    def _own(self, url: str) -> bool:
        """Whether a URL is the upstream's own, so that it may be sent the credentials."""
        if url.startswith(self._below):  # nearly all are, and this is told at once
            return True
        place = _origin(url)
        if place == _origin(self._base):
            return True
        for host in self.adapter.hosts:
            if "://" in host:
                if place == _origin(host):
                    return True
            elif place[0] == "https" and (place[1] == host or place[1].endswith(f".{host}")):
                return True
        return False

    async def _sign_in(self) -> None:
        """Get a token where the upstream works with tokens and there is none that lasts."""
        now = self._clock()
        if self._login is not None and self._login.expires_at - _LOGIN_MARGIN > now:
            return
        talk = self.adapter.login(self._credentials, now)
        if talk is None:
            return
        self._login = await _perform(talk, self._ask_for_token)
        self._redactor = Redactor([*self._credentials.values(), self._login.token])

    async def _ask_for_token(self, request: HttpRequest) -> HttpResponse:
        return await self._exchange(replace(request, authorised=False))

    async def _inlined(self, job: Job) -> Job:
        """The job with the items that the upstream takes only as data."""
        wanted = self.adapter.inlines(job)
        if not wanted:
            return job
        items = [await self._as_data(item) if item.index in wanted else item for item in job.spec.content]
        return replace(job, spec=replace(job.spec, content=tuple(items)))

    async def _as_data(self, item: ContentItem) -> ContentItem:
        if item.url is None or item.url[:5].lower() == "data:":
            return item
        if self._fetch_input is None:
            raise InputUnavailable(f"content {item.index}: this server does not fetch inputs")
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "input"
            await self._fetch_input(item.url, file)
            data = await asyncio.to_thread(file.read_bytes)
        return replace(item, url=data_uri(media_type_of(data), data))

    async def _bring(self, place: HttpRequest | bytes, target: Path) -> Path:
        if isinstance(place, bytes):
            await asyncio.to_thread(target.write_bytes, place)
            return target
        await self._sign_in()
        await Download(self._transport, self._headers).to(target, self._url(place), place)
        return target

    def _safe(self, answer: Progress | Exception) -> Progress | Exception:
        if isinstance(answer, Exception):
            return self._redactor.exception(answer)
        if answer.error is None:
            return answer
        return replace(answer, error=self._redactor.error(answer.error))


class _Submission:
    """The one paid call of a submission, and what may be asked before it."""

    def __init__(
        self,
        exchange: Callable[..., Awaitable[HttpResponse]],
        sign_in: Callable[[], Awaitable[None]],
        seconds: float,
    ) -> None:
        self.asked = False
        self._exchange = exchange
        self._sign_in = sign_in
        self._seconds = seconds
        self._ends = time.monotonic() + seconds

    async def ask(self, request: HttpRequest) -> HttpResponse:
        """Send it. The paid call is only sent while half of the time is left for its answer.

        A token is got before, so that trouble with that leaves nothing open.
        """
        if request.authorised:
            await self._sign_in()
        left = self._ends - time.monotonic()
        if request.harmless:
            return await self._exchange(request, seconds=max(0.1, left - self._seconds / 2))
        if self.asked:
            raise RuntimeError("an adapter asked twice in one submission")
        if request.method != "POST":  # the HTTP client sends others again when a connection breaks
            raise RuntimeError("a paid call has to be a POST")
        if left < self._seconds / 2:
            raise NotSent("there was no time left for it")
        self.asked = True
        try:
            return await self._exchange(request, fresh=True, seconds=left)
        except NotSent:
            self.asked = False
            raise


async def _perform(talk: Talk[T], ask: Ask) -> T:
    """Drive a talk to its end."""
    try:
        request = next(talk)
        for _ in range(_MOST_STEPS):
            request = talk.send(await ask(request))
    except StopIteration as end:
        return end.value  # type: ignore[no-any-return]  # what the talk returned
    finally:
        talk.close()
    raise RuntimeError("an adapter asked too often")


def _certain(fault: Exception) -> Exception:
    """What a fault means that came before anything was asked: nothing was taken, that is certain."""
    match fault:
        case Rejected() | Unserved() | Deferred():
            return fault
        case InputUnavailable():
            return Rejected(TaskError(code="invalid_input", message=f"{fault}.", charged="no"))
        case NotSent() | NoAnswer() | Unclear() | Unreadable():
            return Deferred(f"the upstream cannot be reached: {fault}", retry_after=_UNREACHABLE_SECONDS)
    log.error("an adapter failed", fault=type(fault).__name__)
    return Unserved(
        TaskError(
            code="internal_error",
            message="This request could not be put into the upstream's terms.",
            charged="no",
        )
    )


def _origin(url: str) -> tuple[str, str, int]:
    parts = urlsplit(url)
    return parts.scheme, parts.hostname or "", parts.port or _PORTS.get(parts.scheme, 0)
