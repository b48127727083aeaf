"""From a claim to the job that an upstream is given."""

from collections.abc import Callable, Mapping

from meshapi_server.upstreams.contract import Job

from .inputs import attach, has_inline
from .ports import EMPTY, Store
from .task import Claim

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
        return Job(
            task_id=task.id,
            attempt=schedule.attempt,
            submission=schedule.submission,
            model=task.routes[schedule.route].upstream_model if task.routes else task.model.partition("/")[2],
            spec=attach(task.spec, inputs),
            seed=task.spec.seed if task.spec.seed is not None else 0,
            submitted_at=task.created_at,
            callback_url=self._callback_url(schedule.upstream, task.id),
        )
