"""MiniMax's two versions, by model. Neither shows whose submission a task was: a lost answer stays open.

Sources: MiniMax's OpenAPI documents of both versions and ``mmx-cli`` 1.0.27. Callbacks are unsigned, and the
URL is first asked to repeat a challenge.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from meshapi_server.upstreams.adapter import (
    Abilities,
    Accepted,
    Adapter,
    Announcement,
    Credentials,
    Heard,
    HttpRequest,
    HttpResponse,
    Job,
    Limits,
    Look,
    Progress,
    Result,
    Supports,
    Talk,
    TaskError,
    Unreadable,
    Unserved,
)

from . import first, second


class MiniMax(Adapter):
    """One account of one region; keys of other regions are refused. ``h3``, ``hailuo``: what it has."""

    name = "minimax"
    base_url = "https://api.minimax.io"
    limits = Limits(tasks=20)
    supports = Supports(data_uris=True, stops=frozenset({"queued"}))

    def __init__(self, *, h3: bool = True, hailuo: bool = True) -> None:
        self.abilities = Abilities(cancels=h3, calls_back=True)
        self._h3 = h3
        self._hailuo = hailuo

    def serves(self, model: str) -> bool:
        """Whether there is a key for the model's version."""
        return self._h3 if second.has(model) else self._hailuo

    def authorise(self, request: HttpRequest, credentials: Credentials, now: int) -> Mapping[str, str]:
        """The key for the version that is asked, else the one for both."""
        own = "h3" if request.url.startswith("/v2/") else "hailuo"
        key = credentials.get(own) or credentials.get("key")
        return {"authorization": f"Bearer {key}"} if key else {}

    def submit(self, job: Job) -> Talk[Accepted]:
        """POST the task. The token is for MiniMax's logs only."""
        if not self.serves(job.model):
            message = f"This server has no key of MiniMax for {job.model}."
            raise Unserved(TaskError(code="upstream_error", message=message, charged="no"))
        return (yield from second.submit(job) if second.has(job.model) else first.submit(job))

    def poll(self, looks: Sequence[Look]) -> Talk[Sequence[Progress | Exception]]:
        """GET each task."""
        stands: list[Progress | Exception] = []
        for look in looks:
            stand = yield from second.stand(look) if second.has(look.job.model) else first.stand(look)
            stands.append(stand)
        return stands

    def result(self, look: Look) -> Talk[Result]:
        """Ask where the video is now: its address holds for hours."""
        return (yield from second.result(look) if second.has(look.job.model) else first.result(look))

    def cancel(self, look: Look) -> Talk[bool]:
        """The second version can stop what waits; the first has no such call."""
        return (yield from second.cancel(look)) if second.has(look.job.model) else False

    def hear(self, announcement: Announcement, credentials: Credentials) -> Talk[Heard]:
        """Repeat the challenge that comes first; what comes later is what a look would show."""
        yield from ()
        told = HttpResponse(status=200, body=announcement.body).object()
        if "challenge" in told:
            repeated = msgspec.json.encode({"challenge": told["challenge"]})
            return Heard(verified=False, body=repeated)
        reference = _reference(told)
        if not isinstance(reference, str) or not reference:
            raise Unreadable("a callback without a task_id")
        return Heard(verified=False, reference=reference)


def _reference(told: Mapping[str, Any]) -> Any:
    task = told.get("task")
    return told.get("task_id") or (task.get("id") if isinstance(task, dict) else told.get("id"))
