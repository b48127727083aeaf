"""What an upstream is to the rest of the server: values, two protocols and the ways to say no.

A *remote* upstream takes a task and is polled; a *local* one makes the video in this process's care,
under a lease that its worker extends. An upstream imports nothing of the server but this module.
"""

from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Literal, Protocol

from msgspec import Struct

from meshapi_server.tasks.limits import Limits, Rate
from meshapi_server.tasks.spec import ContentItem, Spec
from meshapi_server.tasks.task import Facts, TaskError

__all__ = [
    "Abilities",
    "Accepted",
    "ContentItem",
    "Deferred",
    "Facts",
    "FetchInput",
    "InputUnavailable",
    "Job",
    "Limits",
    "LocalUpstream",
    "Look",
    "Progress",
    "Rate",
    "Rejected",
    "RemoteUpstream",
    "Rendered",
    "Report",
    "Spec",
    "TaskError",
    "Unserved",
]


class Job(Struct, frozen=True, kw_only=True):
    """One attempt at one task. ``model`` is the upstream's own model id; ``seed`` is always concrete.

    ``submission`` numbers the paid calls of the task; repeating one after a lost answer keeps its number.
    ``callback_url`` is where the upstream may announce a change of this task; a hint, never believed.
    """

    task_id: str
    attempt: int
    submission: int
    model: str
    spec: Spec
    seed: int
    submitted_at: int  # ms since the epoch: when the upstream took the task; until then, when it was created
    callback_url: str | None = None

    @property
    def token(self) -> str:
        """The idempotency key of this submission: the same for every repetition of it, and for no other."""
        return f"{self.task_id}.{self.submission}"


class Accepted(Struct, frozen=True, kw_only=True):
    """The upstream took the task. ``reference`` is its id there; ``look_again_in`` (s) its advice."""

    reference: str
    look_again_in: float | None = None


class Rendered(Struct, frozen=True, kw_only=True):
    """Local files of a finished task, for the caller to adopt."""

    video: Path
    facts: Facts
    last_frame: Path | None = None


class Progress(Struct, frozen=True, kw_only=True):
    """What a poll said. ``fraction`` is 0..1 or None when the upstream does not tell.

    A status that the upstream's protocol did not have yesterday is ``running``: unknown is not terminal.
    """

    state: Literal["queued", "running", "succeeded", "failed"]
    fraction: float | None = None
    error: TaskError | None = None
    look_again_in: float | None = None  # seconds; None leaves it to the schedule


class Look(Struct, frozen=True, kw_only=True):
    """One task in a poll of many: its id at the upstream, and what was asked."""

    reference: str
    job: Job


class Abilities(Struct, frozen=True, kw_only=True):
    """What an upstream's protocol offers beyond submit, poll and fetch; the engine asks for nothing else.

    ``resends``: a submission with a token that it has seen gives the first answer, so a lost answer may
    be asked for again. ``finds``: a submission can be looked up by its token. ``cancels``: a task can be
    stopped. ``looks_at_once``: how many tasks one poll may cover. ``calls_back``: it announces changes to a
    URL.
    """

    resends: bool = False
    finds: bool = False
    cancels: bool = False
    looks_at_once: int = 1
    calls_back: bool = False


class Rejected(Exception):
    """The upstream will not make this video, for good. Carries the task error to show."""

    def __init__(self, error: TaskError) -> None:
        super().__init__(error.message)
        self.error = error


class Unserved(Exception):
    """This upstream certainly did not take the task and waiting will not help: key, funds, model gone.

    Another upstream may be asked; when there is none, the task fails with ``error``.
    """

    def __init__(self, error: TaskError) -> None:
        super().__init__(error.message)
        self.error = error


class Deferred(Exception):
    """Not now, and certainly not billed; try again in ``retry_after`` seconds, or ask another upstream.

    ``pause``: the whole upstream is busy (a 429, an overload), so nothing is sent to it for that long.
    """

    def __init__(self, reason: str, retry_after: float, *, pause: bool = False) -> None:
        super().__init__(reason)
        self.retry_after = retry_after
        self.pause = pause


class InputUnavailable(Exception):
    """An input of the request cannot be had; the message is fit for the caller."""


Report = Callable[[float | None], Awaitable[None]]
FetchInput = Callable[[str, Path], Awaitable[None]]
"""Brings an input (URL or data URI) into a local file. Raises InputUnavailable."""


class LocalUpstream(Protocol):
    """Makes videos itself. The same job gives the same bytes, so it may be started again."""

    name: str
    limits: Limits

    async def render(self, job: Job, workspace: Path, report: Report) -> Rendered:
        """Make the video in ``workspace``. Raises Rejected. Cancelling the coroutine stops the work."""
        ...


class RemoteUpstream(Protocol):
    """Takes tasks and is polled."""

    name: str
    limits: Limits
    abilities: Abilities

    async def submit(self, job: Job) -> Accepted:
        """Ask once, without any retry underneath. Raises Rejected, Unserved or Deferred.

        Any other exception means that it is unknown whether the upstream accepted. With ``abilities.resends``
        it may be called again with the same ``job.token``.
        """
        ...

    async def find(self, job: Job) -> Accepted | None:
        """Look a submission up by ``job.token``; None when it is not there (yet). For ``abilities.finds``."""
        ...

    async def poll(self, looks: Sequence[Look]) -> Sequence[Progress | Exception]:
        """Where each of the tasks stands, in their order; at most ``abilities.looks_at_once`` of them.

        An exception in a place (or raised, for all) means that the upstream could not say; Deferred tells
        when to look again.
        """
        ...

    async def fetch(self, reference: str, job: Job, workspace: Path) -> Rendered:
        """Bring the result into ``workspace``. Raises Rejected or Deferred."""
        ...

    async def cancel(self, reference: str, job: Job) -> bool:
        """Ask the upstream to stop; False when it cannot be stopped any more.

        Raises when it did not answer.
        """
        ...
