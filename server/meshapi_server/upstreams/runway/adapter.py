"""Runway's tasks: create by one of three routes, get, delete.

Sources: the request and task types of ``runwayml`` 5.24.0; docs.dev.runwayml.com on errors, tiers and
outputs. There is no list and no idempotency key, so a lost answer cannot be settled.
"""

from collections.abc import Mapping, Sequence

from meshapi_server.upstreams.adapter import (
    Abilities,
    Accepted,
    Adapter,
    Credentials,
    Deferred,
    Facts,
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
from meshapi_server.upstreams.http import delete, get, path, post
from meshapi_server.upstreams.refusals import Fault, Said, lost, unanswered

from .reading import ERRORS, ONGOING, progress_of
from .request import route_and_body

_VERSION = "2024-11-06"
_NOT_FINISHED = 6.0  # s; tasks are asked for no more often than every five


class Runway(Adapter):
    """The API of one organisation. More tasks than its tier runs at once are accepted and wait there."""

    name = "runway"
    base_url = "https://api.dev.runwayml.com"
    limits = Limits(tasks=50)
    abilities = Abilities(cancels=True)
    supports = Supports(progress=True, data_uris=True, results_last=24.0)

    def authorise(self, request: HttpRequest, credentials: Credentials, now: int) -> Mapping[str, str]:
        """The key, and the version of the API, without which it refuses."""
        return {**super().authorise(request, credentials, now), "x-runway-version": _VERSION}

    def inlines(self, job: Job) -> frozenset[int]:
        """Inputs come by https or as data; what is served by plain http is sent along."""
        return frozenset(
            item.index for item in job.spec.content if (item.url or "").lower().startswith("http://")
        )

    def submit(self, job: Job) -> Talk[Accepted]:
        """POST to the route for what is given. The token is for Runway's logs only."""
        route, body = route_and_body(job)
        response = yield post(route, body, headers=(("idempotency-key", job.token),))
        if not response.ok:
            raise ERRORS.refusal(response)
        reference = response.object().get("id")
        if not isinstance(reference, str) or not reference:
            raise Unreadable("a task without an id")
        return Accepted(reference=reference)

    def poll(self, looks: Sequence[Look]) -> Talk[Sequence[Progress | Exception]]:
        """GET the task."""
        stands: list[Progress | Exception] = []
        for look in looks:
            response = yield get(_path(look))
            stands.append(_looked(look, response))
        return stands

    def result(self, look: Look) -> Talk[Result]:
        """GET the task: its URLs last a day, and every look gives fresh ones."""
        response = yield get(_path(look))
        stands = _looked(look, response)
        if isinstance(stands, Exception):
            raise stands
        if stands.error is not None:
            raise Rejected(stands.error)
        if stands.state != "succeeded":
            raise Deferred("the upstream has not finished after all", retry_after=_NOT_FINISHED)
        task = response.object()
        urls = [url for url in task.get("output") or () if isinstance(url, str) and url]
        if not urls:
            said = Said(message="it finished without a video", body=task)
            raise Rejected(Fault(kind="broken", said=said).error())
        seed = None if look.job.spec.seed is None else look.job.seed
        return Result(video=get(urls[0], authorised=False), facts=Facts(seed=seed))

    def cancel(self, look: Look) -> Talk[bool]:
        """DELETE stops what goes on, and removes a finished task with its video: so look first."""
        response = yield get(_path(look))
        if response.status == 404:
            return False
        if not response.ok:
            raise unanswered(response, ERRORS)
        if response.object().get("status") not in ONGOING:
            return False
        response = yield delete(_path(look))
        if response.status == 404:
            return False
        if not response.ok:
            raise unanswered(response, ERRORS)
        return True


def _path(look: Look) -> str:
    return "/v1/tasks" + path(look.reference)


def _looked(look: Look, response: HttpResponse) -> Progress | Exception:
    if response.status == 404:
        return lost(look, response)
    if not response.ok:
        return unanswered(response, ERRORS)
    return progress_of(response.object())
