"""From a claim to the job that an upstream is given."""

import hashlib
from collections.abc import Callable, Mapping

from meshapi_server.upstreams.contract import Job

from .inputs import attach, has_inline
from .ports import EMPTY, Store
from .task import Claim, Task

CallbackURL = Callable[[str, str], str | None]
"""Where an upstream (its name, a task's id) may announce changes; None when it cannot reach us."""


class Jobs:
    """Makes jobs; reads inline inputs only where they are sent."""

    def __init__(self, store: Store, callback_url: CallbackURL) -> None:
        self._store = store
        self._callback_url = callback_url

    async def whole(self, claim: Claim) -> Job:
        """The job with every input, to submit or to render."""
        inputs = await self._store.inputs(claim.task.id) if has_inline(claim.task.spec) else EMPTY
        return self._job(claim, inputs)

    def brief(self, claim: Claim) -> Job:
        """The job without inline inputs, to look, fetch or cancel."""
        return self._job(claim, EMPTY)

    def _job(self, claim: Claim, inputs: Mapping[int, str]) -> Job:
        task, schedule = claim.task, claim.schedule
        route = task.routes[schedule.route] if task.routes else None
        return Job(
            task_id=task.id,
            attempt=schedule.attempt,
            submission=schedule.submission,
            model=route.upstream_model if route else task.model.partition("/")[2],
            spec=attach((route.spec if route else None) or task.spec, inputs),
            seed=_seed(task),
            submitted_at=schedule.accepted_at or task.created_at,
            callback_url=self._callback_url(schedule.upstream, task.id),
        )


def _seed(task: Task) -> int:
    """The task's seed; for a model that takes none, one that only this task has."""
    if task.spec.seed is not None:
        return task.spec.seed
    return int.from_bytes(hashlib.blake2b(task.id.encode(), digest_size=4).digest())
