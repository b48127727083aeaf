"""What an upstream is to the rest of the server: values, two protocols and four refusals.

A *remote* upstream takes a task and is polled; a *local* one makes the video in this process's care,
under a lease that its worker extends. An upstream imports nothing of the server but this module.
"""

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Literal, Protocol

from msgspec import Struct

from meshapi_server.tasks.spec import ContentItem, Spec
from meshapi_server.tasks.task import Facts, TaskError

__all__ = [
    "Accepted",
    "ContentItem",
    "Deferred",
    "Facts",
    "FetchInput",
    "InputUnavailable",
    "Job",
    "LocalUpstream",
    "Progress",
    "Rejected",
    "RemoteUpstream",
    "Rendered",
    "Report",
    "Spec",
    "TaskError",
]


class Job(Struct, frozen=True, kw_only=True):
    """One attempt at one task. ``model`` is the upstream's own model id; ``seed`` is always concrete."""

    task_id: str
    attempt: int
    model: str
    spec: Spec
    seed: int
    submitted_at: int  # ms since the epoch: when the task was created


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
    """What a poll said. ``fraction`` is 0..1 or None when the upstream does not tell."""

    state: Literal["queued", "running", "succeeded", "failed"]
    fraction: float | None = None
    error: TaskError | None = None
    look_again_in: float | None = None  # seconds; None leaves it to the schedule


class Rejected(Exception):
    """The upstream will not make this video, for good. Carries the task error to show."""

    def __init__(self, error: TaskError) -> None:
        super().__init__(error.message)
        self.error = error


class Deferred(Exception):
    """Not now, and certainly not billed; try again in ``retry_after`` seconds."""

    def __init__(self, reason: str, retry_after: float) -> None:
        super().__init__(reason)
        self.retry_after = retry_after


class InputUnavailable(Exception):
    """An input of the request cannot be had; the message is fit for the caller."""


Report = Callable[[float | None], Awaitable[None]]
FetchInput = Callable[[str, Path], Awaitable[None]]
"""Brings an input (URL or data URI) into a local file. Raises InputUnavailable."""


class LocalUpstream(Protocol):
    """Makes videos itself. The same job gives the same bytes, so it may be started again."""

    name: str
    capacity: int

    async def render(self, job: Job, workspace: Path, report: Report) -> Rendered:
        """Make the video in ``workspace``. Raises Rejected. Cancelling the coroutine stops the work."""
        ...


class RemoteUpstream(Protocol):
    """Takes tasks and is polled."""

    name: str
    capacity: int

    async def submit(self, job: Job) -> Accepted:
        """Ask once. Raises Rejected or Deferred.

        Any other exception means that it is unknown whether the upstream accepted.
        """
        ...

    async def poll(self, reference: str, job: Job) -> Progress:
        """Where it stands. Raises Deferred when the upstream could not say."""
        ...

    async def fetch(self, reference: str, job: Job, workspace: Path) -> Rendered:
        """Bring the result into ``workspace``. Raises Rejected or Deferred."""
        ...

    async def cancel(self, reference: str, job: Job) -> bool:
        """Ask the upstream to stop; False when it cannot be stopped any more."""
        ...
