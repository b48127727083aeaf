"""DashScope's asynchronous tasks: create, get, cancel while they wait.

Sources: the API references of Model Studio; ``dashscope`` 2.0.2. There is no idempotency key, and the list of
tasks shows nothing of ours, so a lost answer stays open. Ends are announced to Alibaba's own EventBridge
only: tasks are polled.
"""

from collections.abc import Mapping, Sequence

from meshapi_server.upstreams.adapter import (
    Abilities,
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
    Rate,
    Rejected,
    Result,
    Supports,
    Talk,
    Unreadable,
)
from meshapi_server.upstreams.http import get, path, post
from meshapi_server.upstreams.refusals import Fault, Said, lost, unanswered

from .reading import ERRORS, facts_of, output_of, progress_of
from .request import body_of, place_of, with_uploads
from .uploads import uploaded

_NOT_FINISHED = 3.0  # s
_KEPT = 24.0  # h, of tasks and videos alike


class Alibaba(Adapter):
    """One region: the key, the base URL and the model must belong to the same. ``workspace`` may be empty."""

    name = "alibaba"
    base_url = "https://dashscope-intl.aliyuncs.com/api/v1"
    limits = Limits(tasks=20, polls=Rate(count=20, seconds=1.0))
    abilities = Abilities(cancels=True)
    supports = Supports(data_uris=True, results_last=_KEPT, stops=frozenset({"queued"}))

    def __init__(self, *, workspace: str = "") -> None:
        self._workspace = workspace

    def authorise(self, request: HttpRequest, credentials: Credentials, now: int) -> Mapping[str, str]:
        """The key, and the workspace whose models and limits are meant."""
        named = {"x-dashscope-workspace": self._workspace} if self._workspace else {}
        return {**super().authorise(request, credentials, now), **named}

    def submit(self, job: Job) -> Talk[Accepted]:
        """Upload what came as data, then POST the task. The token is for Alibaba's logs only."""
        places = {}
        for item in job.spec.content:
            place = yield from uploaded(item, job.model)
            if place is not None:
                places[item.index] = place
        headers = [("x-dashscope-async", "enable"), ("idempotency-key", job.token)]
        if places:
            headers.append(("x-dashscope-ossresourceresolve", "enable"))
        body = body_of(with_uploads(job, places))
        response = yield post(place_of(job.model), body, headers=tuple(headers))
        if not response.ok:
            raise ERRORS.refusal(response)
        reference = output_of(response).get("task_id")
        if not isinstance(reference, str) or not reference:
            raise Unreadable("a task without a task_id")
        return Accepted(reference=reference)

    def poll(self, looks: Sequence[Look]) -> Talk[Sequence[Progress | Exception]]:
        """GET each task."""
        stands: list[Progress | Exception] = []
        for look in looks:
            response = yield get(_place(look))
            stands.append(_looked(look, response))
        return stands

    def result(self, look: Look) -> Talk[Result]:
        """GET the task, which is forgotten after a day, as its video is."""
        response = yield get(_place(look))
        stands = _looked(look, response)
        if isinstance(stands, Exception):
            raise stands
        if stands.error is not None:
            raise Rejected(stands.error)
        if stands.state != "succeeded":
            raise Deferred("the upstream has not finished after all", retry_after=_NOT_FINISHED)
        url = output_of(response).get("video_url")
        if not isinstance(url, str) or not url:
            said = Said(message="it finished without a video", body=output_of(response))
            raise Rejected(Fault(kind="broken", said=said).error())
        return Result(video=get(url, authorised=False), facts=facts_of(response.object()))

    def cancel(self, look: Look) -> Talk[bool]:
        """POST: only what is pending can be stopped, anything else is refused."""
        response = yield post(_place(look) + "/cancel")
        if response.ok:
            return True
        if response.status in {400, 404, 409} and ERRORS.fault(response).kind in {"invalid", "model_gone"}:
            return False
        raise unanswered(response, ERRORS)


def _place(look: Look) -> str:
    return "/tasks" + path(look.reference)


def _looked(look: Look, response: HttpResponse) -> Progress | Exception:
    if response.status == 404:
        return lost(look, response)
    if not response.ok:
        return unanswered(response, ERRORS)
    output = output_of(response)
    return lost(look, response) if output.get("task_status") == "UNKNOWN" else progress_of(output)
