"""fal's queue: submit, status, result, cancel, signed webhooks.

Sources: ``fal-client`` 1.0.3 and fal's documentation of its queue. There is no idempotency key, and nothing
by which a request could be found, so a lost answer cannot be settled.
"""

from collections.abc import Mapping, Sequence

from meshapi_server.upstreams.adapter import (
    Abilities,
    Accepted,
    Adapter,
    Announcement,
    Credentials,
    Deferred,
    Heard,
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

from .reading import REFUSALS, ended, facts_of, of_result, refused, url_of
from .request import app_of, endpoint_and_input
from .signature import check_headers, check_signature

_QUEUE = "https://queue.fal.run"
_KEYS = "https://rest.fal.ai/.well-known/jwks.json"
_KEYS_LAST = 24 * 3600.0  # s; fal asks to keep them no longer
_NOT_FINISHED = 3.0  # s


class Fal(Adapter):
    """The queue. ``reference`` is the request's id, or its address where that is not the usual one.

    ``keys_url``: where the keys of webhooks are published; beside the queue, when that is not fal's own.
    """

    name = "fal"
    base_url = _QUEUE
    hosts = ("fal.run", "falrun.com")
    limits = Limits(tasks=40)
    abilities = Abilities(cancels=True, calls_back=True)
    supports = Supports(data_uris=True, signed_callbacks=True, results_last=7 * 24.0)

    def __init__(self, base_url: str = "", keys_url: str = "") -> None:
        queue = (base_url or _QUEUE).rstrip("/")
        self.keys_url = keys_url or (_KEYS if queue == _QUEUE else f"{queue}/.well-known/jwks.json")

    def authorise(self, request: HttpRequest, credentials: Credentials, now: int) -> Mapping[str, str]:
        """A scheme of its own; the key holds an id and a secret."""
        return {"authorization": f"Key {credentials['key']}"} if "key" in credentials else {}

    def submit(self, job: Job) -> Talk[Accepted]:
        """POST the input to the model's endpoint. The token is for fal's logs only."""
        endpoint, body = endpoint_and_input(job)
        query = () if job.callback_url is None else (("fal_webhook", job.callback_url),)
        response = yield post(endpoint, body, query=query, headers=(("idempotency-key", job.token),))
        if not response.ok:
            raise refused(response)
        return Accepted(reference=_reference(response, job))

    def poll(self, looks: Sequence[Look]) -> Talk[Sequence[Progress | Exception]]:
        """GET the status and, when it is completed, the result: only that tells whether it failed."""
        stands: list[Progress | Exception] = []
        for look in looks:
            stand = yield from self._stand(look)
            stands.append(stand)
        return stands

    def result(self, look: Look) -> Talk[Result]:
        """GET the result."""
        response = yield get(_place(look))
        stands = lost(look, response) if response.status == 404 else of_result(response)
        if isinstance(stands, Exception):
            raise stands
        if stands.error is not None:
            raise Rejected(stands.error)
        if stands.state != "succeeded":
            raise Deferred("the upstream has not finished after all", retry_after=_NOT_FINISHED)
        made = response.object()
        url = url_of(made)
        if url is None:
            said = Said(message="it finished without a video", body=made)
            raise Rejected(Fault(kind="broken", said=said).error())
        return Result(video=get(url, authorised=False), facts=facts_of(made))

    def cancel(self, look: Look) -> Talk[bool]:
        """PUT: certain while it waits, an attempt while it runs. Sources differ in the answer's words."""
        response = yield HttpRequest(method="PUT", url=f"{_place(look)}/cancel")
        if response.status in {400, 404}:
            return False
        if not response.ok:
            raise unanswered(response, REFUSALS)
        return True

    def hear(self, announcement: Announcement, credentials: Credentials) -> Talk[Heard]:
        """Check the signature with fal's published keys."""
        check_headers(announcement)
        response = yield get(self.keys_url, authorised=False, keep_for=_KEYS_LAST)
        if not response.ok:
            raise unanswered(response, REFUSALS)
        check_signature(announcement, response.object())
        told = HttpResponse(status=200, body=announcement.body).object()
        named = told.get("request_id") or told.get("gateway_request_id")
        if not isinstance(named, str):
            raise Unreadable("a webhook without a request_id")
        return Heard(verified=True, reference=named, body=b"{}")

    def _stand(self, look: Look) -> Talk[Progress | Exception]:
        response = yield get(f"{_place(look)}/status")
        if response.status == 404:
            return lost(look, response)
        if not response.ok:
            return unanswered(response, REFUSALS)
        status = response.object()
        match status.get("status"):
            case "IN_QUEUE":
                return Progress(state="queued")
            case "COMPLETED":
                return ended(status) or (yield from self._outcome(look, status))
        return Progress(state="running")

    def _outcome(self, look: Look, status: Mapping[str, object]) -> Talk[Progress | Exception]:
        response = yield get(_place(look))
        if response.status == 404:
            return lost(look, response)
        stands = of_result(response)
        words = status.get("error")
        if response.ok and words:  # it failed, though it left a result
            return Fault(kind="broken", said=Said(message=str(words), body=dict(status))).progress()
        return stands


def _reference(response: HttpResponse, job: Job) -> str:
    """The id; the whole address when fal keeps the request elsewhere than under its app."""
    answer = response.object()
    named, place = answer.get("request_id"), answer.get("response_url")
    if not isinstance(named, str) or not named:
        raise Unreadable("a request without a request_id")
    usual = f"{app_of(job.model)}/requests{path(named)}"
    return place if isinstance(place, str) and not place.endswith(usual) else named


def _place(look: Look) -> str:
    if look.reference.startswith(("https://", "http://")):
        return look.reference
    return f"{app_of(look.job.model)}/requests{path(look.reference)}"
