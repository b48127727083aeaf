"""An upstream without state: its answers follow from the model's name and the time since submission.

| model | behaviour |
| --- | --- |
| ``sandbox/instant`` | succeeds at once |
| ``sandbox/slow`` | runs for ten seconds, with progress |
| ``sandbox/fails`` | is accepted, then fails with ``upstream_error`` |
| ``sandbox/moderated`` | fails with ``content_policy_violation`` |
| ``sandbox/flaky`` | is busy for two submissions and some polls, then succeeds |
| ``sandbox/stuck`` | runs until it is cancelled or expires |
"""

import shutil
from collections.abc import Callable, Sequence
from importlib import resources
from pathlib import Path

from meshapi_server.upstreams.contract import (
    Abilities,
    Accepted,
    Deferred,
    Facts,
    Job,
    Limits,
    Look,
    Progress,
    Rejected,
    Rendered,
    TaskError,
)

from .clip import CLIP_FACTS

SLOW_SECONDS = 10.0
FLAKY_SUBMISSIONS = 2
FLAKY_SECONDS = 1.0
FAILS_AFTER_SECONDS = 0.5


class Sandbox:
    """Implements RemoteUpstream (upstreams/contract.py)."""

    name = "sandbox"

    def __init__(self, clock: Callable[[], int], *, capacity: int = 10_000) -> None:
        self.limits = Limits(tasks=capacity)
        self.abilities = Abilities(cancels=True)
        self._clock = clock

    async def submit(self, job: Job) -> Accepted:
        """Accept, and write the time of it into the reference."""
        behaviour = job.model
        if behaviour == "moderated":
            raise Rejected(
                TaskError(
                    code="content_policy_violation",
                    message="The sandbox refuses every prompt of sandbox/moderated. Nothing was charged.",
                )
            )
        if behaviour == "flaky" and job.attempt <= FLAKY_SUBMISSIONS:
            raise Deferred("the sandbox is busy", retry_after=0.2)
        return Accepted(reference=f"{behaviour}-{self._clock()}", look_again_in=0.0)

    async def find(self, job: Job) -> Accepted | None:
        """Nothing is kept, so nothing is found."""
        return None

    async def poll(self, looks: Sequence[Look]) -> Sequence[Progress | Exception]:
        """Where the scripts are by now."""
        return [self._look(look.reference) for look in looks]

    def _look(self, reference: str) -> Progress | Exception:
        behaviour, _, accepted_at = reference.rpartition("-")
        seconds = (self._clock() - int(accepted_at)) / 1000
        match behaviour:
            case "stuck":
                return Progress(state="running", look_again_in=2.0)
            case "slow" if seconds < SLOW_SECONDS:
                return Progress(state="running", fraction=seconds / SLOW_SECONDS, look_again_in=0.5)
            case "flaky" if seconds < FLAKY_SECONDS:
                return Deferred("the sandbox stumbles", retry_after=0.3)
            case "fails" if seconds < FAILS_AFTER_SECONDS:
                return Progress(state="running", fraction=0.5, look_again_in=0.3)
            case "fails":
                error = TaskError(
                    code="upstream_error", message="sandbox/fails always fails. Nothing was charged."
                )
                return Progress(state="failed", error=error)
        return Progress(state="succeeded", fraction=1.0)

    async def fetch(self, reference: str, job: Job, workspace: Path) -> Rendered:
        """The packaged clip; the same one for every request, and the facts say so."""
        video = _copy("clip.mp4", workspace)
        last_frame = _copy("last_frame.png", workspace) if job.spec.return_last_frame else None
        facts = Facts(seed=job.seed if job.spec.seed is not None else None, cost_usd="0", **CLIP_FACTS)
        return Rendered(video=video, facts=facts, last_frame=last_frame)

    async def cancel(self, reference: str, job: Job) -> bool:
        """There is nothing to stop."""
        return True


def _copy(name: str, workspace: Path) -> Path:
    target = workspace / name
    with resources.as_file(resources.files(__package__).joinpath(name)) as source:
        shutil.copyfile(source, target)
    return target
