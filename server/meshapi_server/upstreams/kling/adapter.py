"""Kling's tasks: create, look up by our own id or by theirs, many at once; callbacks, signed or not.

Sources: Kling's document-api pages of autumn 2026. Every submission carries its token as the external task
id, by which it can be looked up: so a lost answer is settled. Nothing can be cancelled.
"""

from collections.abc import Mapping, Sequence

from meshapi_server.upstreams.adapter import (
    Abilities,
    Accepted,
    Adapter,
    Announcement,
    Credentials,
    Deferred,
    Facts,
    Heard,
    HttpRequest,
    HttpResponse,
    Job,
    Limits,
    Login,
    Look,
    Progress,
    Rejected,
    Result,
    Supports,
    Talk,
    Unreadable,
)
from meshapi_server.upstreams.http import get
from meshapi_server.upstreams.refusals import Fault, Said, Unclear

from . import legacy, tasks
from .reading import Task, progress_of
from .signature import check
from .token import login

_AT_ONCE = 20  # no source says how many ids one look may name; what it does not show is asked for singly
_ASKED_SINGLY = 10
_NOT_FINISHED = 3.0  # s
_KEPT = 30 * 24.0  # h


class Kling(Adapter):
    """One account. ``signs``: whether its callbacks are signed, which is a setting of Kling's console."""

    name = "kling"
    base_url = "https://api-singapore.klingai.com"
    limits = Limits(tasks=20)
    abilities = Abilities(finds=True, looks_at_once=_AT_ONCE, calls_back=True)

    def __init__(self, *, signs: bool = False) -> None:
        self.supports = Supports(data_uris=True, signed_callbacks=signs, results_last=_KEPT)

    def authorise(self, request: HttpRequest, credentials: Credentials, now: int) -> Mapping[str, str]:
        """The API key, or a token made from the older pair of keys."""
        bearer = credentials.get("key") or credentials.get("token")
        return {"authorization": f"Bearer {bearer}"} if bearer else {}

    def login(self, credentials: Credentials, now: int) -> Talk[Login] | None:
        """Make a token where there is no API key. Nobody is asked for it."""
        if "key" in credentials or "access" not in credentials:
            return None
        return login(credentials["access"], credentials["secret"], now)

    def submit(self, job: Job) -> Talk[Accepted]:
        """POST the task to its model's place."""
        return (yield from legacy.submit(job) if legacy.has(job) else tasks.submit(job))

    def find(self, job: Job) -> Talk[Accepted | None]:
        """Look it up by its external task id."""
        found = yield from legacy.find(job) if legacy.has(job) else tasks.find(job)
        return None if found is None else Accepted(reference=found.reference)

    def poll(self, looks: Sequence[Look]) -> Talk[Sequence[Progress | Exception]]:
        """One request for many; what that does not show is asked for by one request each."""
        seen: dict[str, Task] = {}
        for group in _groups(looks):
            many = legacy.many if legacy.has(group[0].job) else tasks.many
            if len(group) > 1:
                seen |= {task.reference: task for task in (yield from many(group))}
        stands: dict[str, Progress | Exception] = {name: progress_of(task) for name, task in seen.items()}
        missing = [look for look in looks if look.reference not in stands]
        for look in missing[:_ASKED_SINGLY]:
            stands[look.reference] = progress_of((yield from _one(look)))
        unseen = Unclear("the task was not in the upstream's list")
        return [stands.get(look.reference, unseen) for look in looks]

    def result(self, look: Look) -> Talk[Result]:
        """GET the task; the address of the video is good for 30 days."""
        task = yield from _one(look)
        stands = progress_of(task)
        if isinstance(stands, Exception):
            raise stands
        if stands.error is not None:
            raise Rejected(stands.error)
        if stands.state != "succeeded" or not isinstance(task, Task):
            raise Deferred("the upstream has not finished after all", retry_after=_NOT_FINISHED)
        url = (task.marked_url if look.job.spec.watermark else None) or task.url
        if url is None:
            said = Said(message="it finished without a video", body=task.body)
            raise Rejected(Fault(kind="broken", said=said).error())
        return Result(
            video=get(url, authorised=False), facts=Facts(duration=task.duration, cost_usd=task.cost)
        )

    def hear(self, announcement: Announcement, credentials: Credentials) -> Talk[Heard]:
        """A callback is the task as it stands, in the words of its path family."""
        yield from ()
        secret = credentials.get("webhook_secret")
        if secret is not None:
            check(announcement, secret)
        told = HttpResponse(status=200, body=announcement.body).object()
        reference = told.get("id") or told.get("task_id")
        if not isinstance(reference, (str, int)):
            raise Unreadable("a callback without an id")
        return Heard(verified=secret is not None, reference=str(reference))


def _one(look: Look) -> Talk[Task | Progress | Exception]:
    return (yield from legacy.one(look) if legacy.has(look.job) else tasks.one(look))


def _groups(looks: Sequence[Look]) -> list[list[Look]]:
    """Those that one request can ask for together."""
    groups: dict[str, list[Look]] = {}
    for look in looks:
        groups.setdefault(legacy.place(look.job) if legacy.has(look.job) else "", []).append(look)
    return list(groups.values())
