"""OpenRouter's video jobs: create, look, content, signed webhooks.

Sources: ``openrouter`` 1.3.84, OpenRouter's documentation and cookbook of video generation. There is no
idempotency key, no list of jobs and no cancel: a lost answer cannot be settled.
"""

from collections.abc import Sequence

from meshapi_server.upstreams.adapter import (
    Abilities,
    Accepted,
    Adapter,
    Announcement,
    Credentials,
    Deferred,
    Facts,
    Heard,
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

from .reading import REFUSALS, cost_of, judged, progress_of, signed_url
from .request import body_of
from .signature import check

_NOT_FINISHED = 10.0  # s; jobs are looked at every 10 to 30
_OWN = "https://openrouter.ai/api/v1"


class OpenRouter(Adapter):
    """One workspace. ``signs``: a secret is set for its webhooks; else they are hints."""

    name = "openrouter"
    base_url = _OWN
    limits = Limits(tasks=50)
    abilities = Abilities(calls_back=True)

    def __init__(self, base_url: str = "", *, signs: bool = False) -> None:
        self.supports = Supports(signed_callbacks=signs)
        self._https_only = (base_url or _OWN).rstrip("/") == _OWN

    def submit(self, job: Job) -> Talk[Accepted]:
        """POST the job. The token is for OpenRouter's logs only."""
        body = body_of(job, self._callback(job))
        response = judged((yield post("/videos", body, headers=(("idempotency-key", job.token),))))
        if not response.ok:
            raise REFUSALS.refusal(response)
        return Accepted(reference=_id(response.object()))

    def poll(self, looks: Sequence[Look]) -> Talk[Sequence[Progress | Exception]]:
        """GET each job."""
        stands: list[Progress | Exception] = []
        for look in looks:
            response = judged((yield get(_place(look))))
            stands.append(_looked(look, response))
        return stands

    def result(self, look: Look) -> Talk[Result]:
        """GET the job: a signed URL of OpenRouter's copy, else the content by the key."""
        response = judged((yield get(_place(look))))
        stands = _looked(look, response)
        if isinstance(stands, Exception):
            raise stands
        if stands.error is not None:
            raise Rejected(stands.error)
        if stands.state != "succeeded":
            raise Deferred("the upstream has not finished after all", retry_after=_NOT_FINISHED)
        made = response.object()
        url = signed_url(made)
        content = get(f"{_place(look)}/content", [("index", "0")])
        seed = None if look.job.spec.seed is None else look.job.seed
        return Result(
            video=content if url is None else get(url, authorised=False),
            facts=Facts(seed=seed, cost_usd=cost_of(made)),
        )

    def hear(self, announcement: Announcement, credentials: Credentials) -> Talk[Heard]:
        """Check the signature, if the workspace signs; without a secret it is but a hint."""
        yield from ()
        secret = credentials.get("webhook_secret")
        if secret is not None:
            check(announcement, secret)
        told = HttpResponse(status=200, body=announcement.body).object().get("data")
        if not isinstance(told, dict):
            raise Unreadable("a webhook without data")
        return Heard(verified=secret is not None, reference=_id(told), body=b"{}")

    def _callback(self, job: Job) -> str | None:
        """OpenRouter itself refuses a job whose callback is not by https."""
        url = job.callback_url
        return None if url is None or (self._https_only and not url.startswith("https://")) else url


def _id(job: dict[str, object]) -> str:
    named = job.get("id")
    if not isinstance(named, str) or not named:
        raise Unreadable("a job without an id")
    return named


def _place(look: Look) -> str:
    return "/videos" + path(look.reference)


def _looked(look: Look, response: HttpResponse) -> Progress | Exception:
    if response.status == 404:
        return lost(look, response)
    if not response.ok:
        return unanswered(response, REFUSALS)
    return progress_of(response.object())
