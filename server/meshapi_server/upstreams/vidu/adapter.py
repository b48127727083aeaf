"""Vidu's tasks: create by route, look, cancel, list, signed callbacks.

Sources: Vidu's documentation of its platform, and its own client, ``vidu-mcp`` 0.1.2. There is no idempotency
key; but a task keeps the ``payload`` that it was created with, so a lost answer can be settled by looking.
"""

from collections.abc import Mapping, Sequence

from meshapi_server.upstreams.adapter import (
    Abilities,
    Accepted,
    Adapter,
    Announcement,
    Credentials,
    Deferred,
    Forged,
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

from .errors import REFUSALS, refuses
from .reading import candidates, facts_of, identity, progress_of, since, url_of
from .request import route_and_body
from .signature import check

_NOT_FINISHED = 3.0  # s
_MOST_PAGES = 8  # of ten tasks each, newest first
_MOST_LOOKS = 30


class Vidu(Adapter):
    """One account, of the international platform; the Chinese one is at another base URL."""

    name = "vidu"
    base_url = "https://api.vidu.com/ent/v2"
    limits = Limits(tasks=20)
    abilities = Abilities(finds=True, cancels=True, calls_back=True)
    supports = Supports(data_uris=True, signed_callbacks=True, results_last=24.0, stops=frozenset({"queued"}))

    def authorise(self, request: HttpRequest, credentials: Credentials, now: int) -> Mapping[str, str]:
        """A scheme of its own."""
        return {"authorization": f"Token {credentials['key']}"} if "key" in credentials else {}

    def submit(self, job: Job) -> Talk[Accepted]:
        """POST to the route that the inputs ask for; the token travels as the payload."""
        route, body = route_and_body(job)
        response = yield post(route, body)
        if refuses(response):
            raise REFUSALS.refusal(response)
        named = identity(response.object())
        if named is None:
            raise Unreadable("a task without a task_id")
        return Accepted(reference=named)

    def poll(self, looks: Sequence[Look]) -> Talk[Sequence[Progress | Exception]]:
        """GET each task's creations: nobody tells whether the list would show why one failed."""
        stands: list[Progress | Exception] = []
        for look in looks:
            response = yield get(_place(look.reference))
            stands.append(_looked(look, response))
        return stands

    def result(self, look: Look) -> Talk[Result]:
        """GET the creations anew: their URLs are signed for a day."""
        response = yield get(_place(look.reference))
        stands = _looked(look, response)
        if isinstance(stands, Exception):
            raise stands
        if stands.error is not None:
            raise Rejected(stands.error)
        if stands.state != "succeeded":
            raise Deferred("the upstream has not finished after all", retry_after=_NOT_FINISHED)
        task = response.object()
        url = url_of(task, marked=look.job.spec.watermark is True)
        if url is None:
            said = Said(message="it finished without a video", body={"state": task.get("state")})
            raise Rejected(Fault(kind="broken", said=said).error())
        return Result(video=get(url, authorised=False), facts=facts_of(task, look))

    def find(self, job: Job) -> Talk[Accepted | None]:
        """Go through the newest tasks; where the list shows no payload, the task itself does."""
        page, looked = "", 0
        for _ in range(_MOST_PAGES):
            query = [("created_at.from", since(job)), *([("pager.page_token", page)] if page else [])]
            response = yield get("/tasks", query)
            if refuses(response):
                raise unanswered(response, REFUSALS)
            listing = response.object()
            for task in candidates(listing, job):
                reference, payload = identity(task) or "", task.get("payload")
                if not payload and looked < _MOST_LOOKS:
                    looked += 1
                    payload = yield from self._payload(reference)
                if payload == job.token:
                    return Accepted(reference=reference)
            following = listing.get("next_page_token")
            if not isinstance(following, str) or not following or following == page:
                return None
            page = following
        return None

    def cancel(self, look: Look) -> Talk[bool]:
        """POST: for tasks that wait. What cannot be stopped any more is an error of ours."""
        response = yield post(f"/tasks{path(look.reference, 'cancel')}", {"id": look.reference})
        if not refuses(response):
            return True
        fault = REFUSALS.fault(response)
        if fault.kind in {"rate", "overload"} or response.status not in {400, 404, 409}:
            raise unanswered(response, REFUSALS)
        return False

    def hear(self, announcement: Announcement, credentials: Credentials) -> Talk[Heard]:
        """Check the signature. It does not cover the body, whose id is therefore but a hint."""
        yield from ()
        if "key" not in credentials:
            raise Forged("there is no key to check it with")
        check(announcement, credentials["key"])
        named = identity(HttpResponse(status=200, body=announcement.body).object())
        if named is None:
            raise Unreadable("a callback without an id")
        return Heard(verified=True, reference=named, body=b"{}")

    def _payload(self, reference: str) -> Talk[object]:
        response = yield get(_place(reference))
        if response.status == 404:
            return None
        if refuses(response):
            raise unanswered(response, REFUSALS)
        return response.object().get("payload")


def _place(reference: str) -> str:
    return f"/tasks{path(reference, 'creations')}"


def _looked(look: Look, response: HttpResponse) -> Progress | Exception:
    if response.status == 404:
        return lost(look, response)
    if refuses(response):
        return unanswered(response, REFUSALS)
    return progress_of(response.object())
