"""Ark's content generation tasks: create, get, list by ids, delete, callbacks.

Sources: the request and task models of ``volcengine-ark-runtime`` 5.0 and ``byteplus-python-sdk-v2`` 3.0; the
public documentation of the Video Generation API. Ark has no idempotency key, so a lost answer is looked up:
every submission carries its token as ``safety_identifier``, which the list shows.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from meshapi_server.upstreams.adapter import (
    Abilities,
    Accepted,
    Adapter,
    Announcement,
    Credentials,
    Deferred,
    Heard,
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
from meshapi_server.upstreams.http import delete, get, path, post
from meshapi_server.upstreams.refusals import Fault, Said, Unclear, lost, unanswered

from .errors import ERRORS, refused
from .reading import facts_of, progress_of
from .request import body_of, identifier, is_flex

TASKS = "/contents/generations/tasks"
AT_ONCE = 100  # ids in one list call; the address stays below 6 KB
_ASKED_SINGLY = 10  # tasks that a list did not show, and that are asked for by one call each
_PAGE = 100
_PAGES = 20
_EARLIER = 600  # s; how far its clock may be behind ours
_TIERS = ("default", "flex")


class Ark(Adapter):
    """One cloud of Ark."""

    limits = Limits(tasks=100, submits=Rate(count=300, seconds=60.0), polls=Rate(count=20, seconds=1.0))
    abilities = Abilities(finds=True, cancels=True, looks_at_once=AT_ONCE, calls_back=True)
    supports = Supports(last_frame=True, data_uris=True, results_last=24.0, stops=frozenset({"queued"}))

    def __init__(self, name: str, base_url: str) -> None:
        self.name = name
        self.base_url = base_url

    def submit(self, job: Job) -> Talk[Accepted]:
        """POST the task; only its id comes back."""
        response = yield post(TASKS, body_of(job))
        if not response.ok:
            raise refused(ERRORS.fault(response)).exception()
        return Accepted(reference=_id(response.object()))

    def find(self, job: Job) -> Talk[Accepted | None]:
        """Look through the newest tasks for our mark. The list shows the flex tier only when asked for it."""
        ours = identifier(job)
        since = job.submitted_at / 1000 - _EARLIER
        for number in range(1, _PAGES + 1):
            items = yield from self._list(_flex(is_flex(job)), ("page_num", str(number)), size=_PAGE)
            for item in items:
                if item.get("safety_identifier") == ours:
                    return Accepted(reference=_id(item))
            oldest = min((item.get("created_at") or 0 for item in items), default=0)
            if len(items) < _PAGE or oldest < since:
                return None
        raise Unclear(f"the submission is not among the newest {_PAGE * _PAGES} tasks")

    def poll(self, looks: Sequence[Look]) -> Talk[Sequence[Progress | Exception]]:
        """One GET for one task, one list for many; what a list does not show is asked for singly."""
        found: dict[str, Progress | Exception] = {}
        if len(looks) > 1:
            for tier in sorted({is_flex(look.job) for look in looks}):
                ids = [look.reference for look in looks if is_flex(look.job) is tier]
                wanted = [("filter.task_ids", each) for each in ids]
                items = yield from self._list(_flex(tier), *wanted, size=len(ids))
                found |= {_id(item): progress_of(item) for item in items}
        missing = [look for look in looks if look.reference not in found]
        for look in missing[:_ASKED_SINGLY]:
            response = yield get(path_of(look))
            found[look.reference] = _looked(look, response)
        unseen = Unclear("the task was not in the upstream's list")
        return [found.get(look.reference, unseen) for look in looks]

    def result(self, look: Look) -> Talk[Result]:
        """GET the task; its URLs are signed and last a day."""
        response = yield get(path_of(look))
        stands = _looked(look, response)
        if isinstance(stands, Exception):
            raise stands
        if stands.error is not None:
            raise Rejected(stands.error)
        if stands.state != "succeeded":
            raise Deferred("the upstream has not finished after all", retry_after=5.0)
        task = response.object()
        content = task.get("content") or {}
        url = content.get("video_url") or content.get("file_url")
        if not url:
            said = Said(message="it finished without a video", body=task)
            raise Rejected(Fault(kind="broken", said=said).error())
        frame = content.get("last_frame_url")
        return Result(
            video=get(url, authorised=False),
            facts=facts_of(task),
            last_frame=get(frame, authorised=False) if frame else None,
        )

    def cancel(self, look: Look) -> Talk[bool]:
        """DELETE stops a queued task, refuses a running one and removes a finished one: so look first."""
        response = yield get(path_of(look))
        if response.status == 404:
            return False
        if not response.ok:
            raise unanswered(response, ERRORS)
        if response.object().get("status") != "queued":
            return False
        response = yield delete(path_of(look))
        if response.status >= 500 or response.status == 429:
            raise unanswered(response, ERRORS)
        return response.ok

    def hear(self, announcement: Announcement, credentials: Credentials) -> Talk[Heard]:
        """A callback is the task object, unsigned."""
        yield from ()
        task = HttpResponse(status=200, body=announcement.body).object()
        return Heard(verified=False, reference=_id(task))

    def _list(
        self, flex: tuple[tuple[str, str], ...], *query: tuple[str, str], size: int
    ) -> Talk[list[dict[str, Any]]]:
        response = yield get(TASKS, (*query, ("page_size", str(size)), *flex))
        if not response.ok:
            raise unanswered(response, ERRORS)
        items = response.object().get("items")
        if not isinstance(items, list):
            raise Unreadable("a list without items")
        return [item for item in items if isinstance(item, dict)]


def path_of(look: Look) -> str:
    """Where one task is."""
    return TASKS + path(look.reference)


def _looked(look: Look, response: HttpResponse) -> Progress | Exception:
    if response.status == 404:
        return lost(look, response)
    if not response.ok:
        return unanswered(response, ERRORS)
    return progress_of(response.object())


def _flex(flex: bool) -> tuple[tuple[str, str], ...]:
    return (("filter.service_tier", "flex"),) if flex else ()


def _id(task: Mapping[str, Any]) -> str:
    found = task.get("id")
    if not isinstance(found, str) or not found:
        raise Unreadable("a task without an id")
    return found
