"""PixVerse's videos: upload, generate, look.

Sources: PixVerse's documentation of its platform and its own client, ``pixverse-mcp`` 0.2.2. There is no
idempotency key, no list and no cancel: a lost answer cannot be settled. Webhooks are set up in PixVerse's
console for a whole account, and how a request would choose one is not told, so tasks are looked at.
"""

from collections.abc import Callable, Mapping, Sequence
from uuid import uuid4

from msgspec.structs import replace

from meshapi_server.upstreams.adapter import (
    Accepted,
    Adapter,
    ContentItem,
    Credentials,
    Deferred,
    HttpRequest,
    HttpResponse,
    Job,
    Limits,
    Look,
    Progress,
    Rejected,
    Result,
    Supports,
    Talk,
    Unreadable,
)
from meshapi_server.upstreams.http import get, path, post
from meshapi_server.upstreams.refusals import Fault, Said, lost, unanswered

from .errors import REFUSALS, payload, refuses, unknown_video
from .reading import facts_of, progress_of, url_of
from .request import frames_of, route_and_body, upload

_NOT_FINISHED = 5.0  # s


class PixVerse(Adapter):
    """One account, of the international platform; the Chinese one is at another base URL.

    ``trace`` names each HTTP request: a name that was used before may be answered from memory.
    """

    name = "pixverse"
    base_url = "https://app-api.pixverse.ai/openapi/v2"
    limits = Limits(tasks=10)
    supports = Supports(data_uris=True)

    def __init__(self, trace: Callable[[], str] = lambda: str(uuid4())) -> None:
        self._trace = trace

    def authorise(self, request: HttpRequest, credentials: Credentials, now: int) -> Mapping[str, str]:
        """The key under a name of its own, and a fresh name for the request."""
        headers = {"api-key": credentials["key"]} if "key" in credentials else {}
        return {**headers, "ai-trace-id": self._trace()}

    def submit(self, job: Job) -> Talk[Accepted]:
        """Upload the frames, then POST the generation. The token is for PixVerse's logs only."""
        images = []
        for frame in frames_of(job):
            images.append((yield from self._uploaded(frame)))  # noqa: PERF401 - it yields requests
        route, body = route_and_body(job, images)
        response = yield post(route, body, headers=(("idempotency-key", job.token),))
        if refuses(response):
            raise REFUSALS.refusal(response)
        named = _number(payload(response), "video_id")
        if named is None:
            raise Unreadable("a generation without a video_id")
        return Accepted(reference=str(named))

    def poll(self, looks: Sequence[Look]) -> Talk[Sequence[Progress | Exception]]:
        """GET the video's status."""
        stands: list[Progress | Exception] = []
        for look in looks:
            response = yield get(_place(look))
            stands.append(_looked(look, response))
        return stands

    def result(self, look: Look) -> Talk[Result]:
        """GET the video's status: it holds the URL."""
        response = yield get(_place(look))
        stands = _looked(look, response)
        if isinstance(stands, Exception):
            raise stands
        if stands.error is not None:
            raise Rejected(stands.error)
        if stands.state != "succeeded":
            raise Deferred("the upstream has not finished after all", retry_after=_NOT_FINISHED)
        video = payload(response)
        url = url_of(video)
        if url is None:
            said = Said(message="it finished without a video", body=dict(video))
            raise Rejected(Fault(kind="broken", said=said).error())
        return Result(video=get(url, authorised=False), facts=facts_of(video))

    def _uploaded(self, frame: ContentItem) -> Talk[int]:
        response = yield upload(frame)
        if refuses(response):
            item = (frame.role or "first_frame").replace("_", " ")
            # Whatever it means, nothing is bought by an upload.
            raise replace(REFUSALS.fault(response), item=item, charged="no").exception()
        uploaded = payload(response)
        named = _number(uploaded, "img_id") or _number(uploaded, "ImgID")
        if named is None:
            raise Unreadable("an upload without an img_id")
        return named


def _place(look: Look) -> str:
    return "/video/result" + path(look.reference)


def _looked(look: Look, response: HttpResponse) -> Progress | Exception:
    if unknown_video(response):
        return lost(look, response)
    if refuses(response):
        return unanswered(response, REFUSALS)
    return progress_of(payload(response))


def _number(held: Mapping[str, object], name: str) -> int | None:
    value = held.get(name)
    if isinstance(value, str) and value.isascii() and value.isdigit():
        return int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) and value > 0 else None
