"""xAI's video endpoints over REST: generate, edit, poll.

Sources: the request and status types of ``xai-sdk`` 1.21.0, which speaks gRPC; the REST names from two
independent REST clients that agree. There is no list, cancel, callback or idempotency key: a lost answer
cannot be settled.
"""

from collections.abc import Sequence

from meshapi_server.upstreams.adapter import (
    Accepted,
    Adapter,
    Deferred,
    Facts,
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
from meshapi_server.upstreams.refusals import lost, unanswered

from .reading import ERRORS, cost_of, duration_of, is_withheld, progress_of, url_of, withheld
from .request import route_and_body

_NOT_FINISHED = 3.0  # s


class GrokImagine(Adapter):
    """One team. A waiting video and a running one are told apart by progress alone."""

    name = "xai"
    base_url = "https://api.x.ai/v1"
    limits = Limits(tasks=50)
    supports = Supports(progress=True, data_uris=True, results_last=24.0)

    def inlines(self, job: Job) -> frozenset[int]:
        """Inputs come by https or as data; what is served by plain http is sent along."""
        return frozenset(
            item.index for item in job.spec.content if (item.url or "").lower().startswith("http://")
        )

    def submit(self, job: Job) -> Talk[Accepted]:
        """POST the generation, or the edit of a video. The token is for xAI's logs only."""
        route, body = route_and_body(job)
        response = yield post(route, body, headers=(("idempotency-key", job.token),))
        if not response.ok:
            raise ERRORS.refusal(response)
        reference = response.object().get("request_id")
        if not isinstance(reference, str) or not reference:
            raise Unreadable("a video without a request_id")
        return Accepted(reference=reference)

    def poll(self, looks: Sequence[Look]) -> Talk[Sequence[Progress | Exception]]:
        """GET the video."""
        stands: list[Progress | Exception] = []
        for look in looks:
            response = yield get(_path(look))
            stands.append(_looked(look, response))
        return stands

    def result(self, look: Look) -> Talk[Result]:
        """GET the video: its URL lasts a day."""
        response = yield get(_path(look))
        stands = _looked(look, response)
        if isinstance(stands, Exception):
            raise stands
        if stands.error is not None:
            raise Rejected(stands.error)
        url = url_of(response.object()) if stands.state == "succeeded" else None
        if url is None:
            raise Deferred("the upstream has not finished after all", retry_after=_NOT_FINISHED)
        made = response.object()
        facts = Facts(duration=duration_of(made), cost_usd=cost_of(made))
        return Result(video=get(url, authorised=False), facts=facts)


def _path(look: Look) -> str:
    return "/videos" + path(look.reference)


def _looked(look: Look, response: HttpResponse) -> Progress | Exception:
    """A 202 may have no body; a video that was withheld may be told by a 400."""
    if response.status == 404:
        return lost(look, response)
    if response.status == 202 and not response.body.strip():
        return Progress(state="queued")
    if response.ok:
        return progress_of(response.object())
    if is_withheld(response):
        return withheld(response).progress()
    return unanswered(response, ERRORS)
