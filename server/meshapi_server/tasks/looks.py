"""When to look at a task that sleeps upstream."""

from meshapi_server.upstreams.contract import Abilities, Job

from .schedule import poll_delay
from .task import Claim


def next_look(
    claim: Claim, abilities: Abilities, job: Job, *, elapsed: int, look_again_in: float | None
) -> int:
    """Milliseconds until the next look, ``elapsed`` ms after the upstream took the task.

    It follows the usual duration of the task's route; ``look_again_in`` (s), the upstream's advice, wins.
    """
    routes = claim.task.routes
    usual = routes[claim.schedule.route].usual_seconds if routes else None
    announced = abilities.calls_back and job.callback_url is not None
    return poll_delay(elapsed, usual, look_again_in, calls_back=announced)
