"""Luma's generations: create and get, over two APIs that differ in their words only.

Sources: ``luma-agents`` 0.5.0 and ``lumaai`` 1.21.0. Neither has an idempotency key, a cancel or a list that
shows whose submission it was: a lost answer cannot be settled. Dream Machine's DELETE removes a generation,
and nothing says that it stops or refunds one. Its callbacks are unsigned, Agents has none: both are polled.
"""

from collections.abc import Mapping, Sequence

from meshapi_server.upstreams.adapter import (
    Accepted,
    Adapter,
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

from .reading import ERRORS, progress_of, url_of
from .request import agents_body, dream_body

_AGENTS = "https://agents.lumalabs.ai/v1"
_DREAM = "https://api.lumalabs.ai/dream-machine/v1"
_DREAM_MODELS = ("ray-2", "ray-flash-2", "ray-1-6")
_NOT_FINISHED = 3.0  # s


class Luma(Adapter):
    """Both APIs; the model tells which. Each has keys of its own, and may be the only one with a key.

    ``dream_url``: where Dream Machine is; beside the Agents API, when that is not Luma's own. ``agents``:
    whether there is a key for the Agents API, which alone takes images as data.
    """

    name = "luma"
    base_url = _AGENTS
    limits = Limits(tasks=20)

    def __init__(self, base_url: str = "", dream_url: str = "", *, agents: bool = True) -> None:
        self.supports = Supports(data_uris=agents, results_last=1.0)
        place = (base_url or _AGENTS).rstrip("/")
        beside = _DREAM if place == _AGENTS else f"{place.removesuffix('/v1')}/dream-machine/v1"
        self.dream_url = (dream_url or beside).rstrip("/")
        self.hosts = (self.dream_url,)

    def authorise(self, request: HttpRequest, credentials: Credentials, now: int) -> Mapping[str, str]:
        """The API's own key; the other one where there is no other."""
        first, second = ("dream", "agents") if request.url.startswith(self.dream_url) else ("agents", "dream")
        key = credentials.get(first) or credentials.get(second)
        return {"authorization": f"Bearer {key}"} if key else {}

    def inlines(self, job: Job) -> frozenset[int]:
        """Agents takes https or data, so that plain http is sent along; Dream Machine takes URLs only."""
        if _is_dream(job):
            return frozenset()
        return frozenset(
            item.index for item in job.spec.content if (item.url or "").lower().startswith("http://")
        )

    def submit(self, job: Job) -> Talk[Accepted]:
        """POST the generation. The token is for Luma's logs only."""
        if _is_dream(job):
            place, body = f"{self.dream_url}/generations/video", dream_body(job)
        else:
            place, body = "/generations", agents_body(job)
        response = yield post(place, body, headers=(("idempotency-key", job.token),))
        if not response.ok:
            raise ERRORS.refusal(response)
        return Accepted(reference=_id(response))

    def poll(self, looks: Sequence[Look]) -> Talk[Sequence[Progress | Exception]]:
        """GET the generation."""
        stands: list[Progress | Exception] = []
        for look in looks:
            response = yield get(self._place(look))
            stands.append(_looked(look, response))
        return stands

    def result(self, look: Look) -> Talk[Result]:
        """GET the generation: the URL of a video of Agents is good for an hour."""
        response = yield get(self._place(look))
        stands = _looked(look, response)
        if isinstance(stands, Exception):
            raise stands
        if stands.error is not None:
            raise Rejected(stands.error)
        if stands.state != "succeeded":
            raise Deferred("the upstream has not finished after all", retry_after=_NOT_FINISHED)
        generation = response.object()
        url = url_of(generation)
        if url is None:
            said = Said(message="it finished without a video", body=generation)
            raise Rejected(Fault(kind="broken", said=said).error())
        return Result(video=get(url, authorised=False))

    def _place(self, look: Look) -> str:
        base = self.dream_url if _is_dream(look.job) else ""
        return f"{base}/generations{path(look.reference)}"


def _is_dream(job: Job) -> bool:
    return job.model in _DREAM_MODELS


def _id(response: HttpResponse) -> str:
    named = response.object().get("id")
    if not isinstance(named, str) or not named:
        raise Unreadable("a generation without an id")
    return named


def _looked(look: Look, response: HttpResponse) -> Progress | Exception:
    if response.status == 404:
        return lost(look, response)
    if not response.ok:
        return unanswered(response, ERRORS)
    return progress_of(response.object())
